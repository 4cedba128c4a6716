/** Our torrents in libtorrent, and libtorrent's torrents here, over the same files. Needs python3-libtorrent. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseMetainfo } from '../../torrent/metainfo.ts';
import { pieceLengthOf } from '../../torrent/metainfo-model.ts';
import { checkPiece } from '../../torrent/piece-check.ts';
import { openSegmentStore } from '../../torrent/store.ts';
import { directorySegments } from '../../torrent/store-directory.ts';
import { makeSample, PIECE, type Sample } from '../torrent/sample-torrent.ts';

/** Debian's python, which is the one with the libtorrent package. */
const python = (program: string, ...parameters: string[]): string =>
  execFileSync('/usr/bin/python3', ['-c', program, ...parameters], { encoding: 'utf8', timeout: 60_000 });

const DESCRIBE = `
import json, sys, libtorrent as lt
info = lt.torrent_info(sys.argv[1])
files = info.files()
print(json.dumps({"v1": str(info.info_hashes().v1), "v2": str(info.info_hashes().v2), "pieces": info.num_pieces(),
  "files": [[files.file_path(i), files.file_size(i), files.file_offset(i)] for i in range(files.num_files())
            if not files.file_flags(i) & lt.file_flags_t.flag_pad_file]}))`;

/** Checks a seed's data: libtorrent hashes every piece and says how much of the torrent it has. */
const RECHECK = `
import sys, time, libtorrent as lt
session = lt.session({"listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False})
handle = session.add_torrent({"ti": lt.torrent_info(sys.argv[1]), "save_path": sys.argv[2]})
deadline = time.time() + 30
while time.time() < deadline and not handle.status().is_seeding: time.sleep(0.05)
print(handle.status().is_seeding, handle.status().progress)`;

const CREATE = `
import os, sys, libtorrent as lt
out, root, piece, flags = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
storage = lt.file_storage()
lt.add_files(storage, root)
torrent = lt.create_torrent(storage, piece, flags=flags)
lt.set_piece_hashes(torrent, os.path.dirname(root))
open(out, "wb").write(lt.bencode(torrent.generate()))`;

suite('metainfo and libtorrent', () => {
  let multi: Sample;
  let single: Sample;
  let scratch: string;
  before(async () => {
    multi = await makeSample();
    // libtorrent keeps a torrent of several files in a folder with its name.
    single = await makeSample({ 'root.img': 3 * PIECE + 7 }, 'root.img');
    scratch = await mkdtemp(join(tmpdir(), 'swarmboot-libtorrent-'));
  });
  after(async () => {
    await multi[Symbol.asyncDispose]();
    await single[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  for (const which of ['multi', 'single'] as const) {
    test(`our hybrid (${which}) has the same infohashes and files there, and its data is whole there`, async () => {
      const sample = which === 'multi' ? multi : single;
      const { metainfo } = sample;
      const path = join(scratch, `${which}.torrent`);
      await writeFile(path, sample.torrent);
      const prefix = metainfo.multiFile ? `${metainfo.name}/` : '';
      assert.deepEqual(JSON.parse(python(DESCRIBE, path)), {
        v1: metainfo.infohashV1?.toString('hex'),
        v2: metainfo.infohashV2?.toString('hex'),
        pieces: metainfo.pieceCount,
        files: metainfo.files
          .filter(({ pad }) => !pad)
          .map((file) => [`${prefix}${file.path}`, file.length, file.offset]),
      });
    });
  }

  test('libtorrent finds every piece of our hybrids in the files they were made from', async () => {
    const folder = join(scratch, 'multi');
    await mkdir(folder);
    await symlink(multi.directory, join(folder, multi.metainfo.name));
    for (const [sample, saved] of [
      [multi, folder],
      [single, single.directory],
    ] as const) {
      const path = join(scratch, `recheck-${sample.metainfo.name}.torrent`);
      await writeFile(path, sample.torrent);
      assert.match(python(RECHECK, path, saved), /^True 1\.0/);
    }
  });

  // create_flags_t of libtorrent 2.0: v2_only is bit 5, v1_only bit 6, canonical_files (pads without v2) bit 7. Its
  // Python module names only some of them.
  for (const [kind, flags] of [
    ['v1', 64],
    ['v1 with pads', 64 + 128],
    ['v2', 32],
    ['hybrid', 0],
  ] as const) {
    for (const which of ['multi', 'single'] as const) {
      test(`libtorrent's ${kind} (${which}): same infohashes here, and every piece of the data is ok`, async () => {
        const sample = which === 'multi' ? multi : single;
        const source = which === 'multi' ? sample.directory : join(sample.directory, 'root.img');
        const path = join(scratch, `theirs-${kind}-${which}.torrent`);
        python(CREATE, path, source, String(PIECE), String(flags));
        const metainfo = parseMetainfo(await readFile(path));
        const theirs = JSON.parse(python(DESCRIBE, path));
        assert.equal(metainfo.infohashV1?.toString('hex') ?? '0'.repeat(40), theirs.v1);
        assert.equal(metainfo.infohashV2?.toString('hex') ?? '0'.repeat(64), theirs.v2);
        assert.equal(metainfo.infohashV1 !== undefined, kind !== 'v2');
        assert.equal(metainfo.infohashV2 !== undefined, kind === 'v2' || kind === 'hybrid');
        if (kind === 'v1 with pads' && which === 'multi') assert.ok(metainfo.files.some(({ pad }) => pad));
        assert.equal(metainfo.pieceCount, theirs.pieces);
        assert.equal(metainfo.multiFile, which === 'multi');

        const directory = metainfo.multiFile
          ? join(dirname(sample.directory), metainfo.name)
          : sample.directory;
        const store = await openSegmentStore(directorySegments(metainfo, directory), 'read');
        try {
          for (let piece = 0; piece < metainfo.pieceCount; piece++) {
            const bytes = Buffer.alloc(pieceLengthOf(metainfo, piece));
            await store.read(piece * metainfo.pieceLength, bytes);
            assert.equal(checkPiece(metainfo, piece, bytes), 'ok', `piece ${piece}`);
            bytes[bytes.length - 1]! ^= 1;
            assert.equal(checkPiece(metainfo, piece, bytes), 'bad', `piece ${piece} altered`);
          }
        } finally {
          await store.close();
        }
      });
    }
  }
});
