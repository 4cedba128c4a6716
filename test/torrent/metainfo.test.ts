import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type BencodeInput, encodeBencode } from '../../torrent/bencode.ts';
import { merkleRoot, paddingNode } from '../../torrent/merkle.ts';
import { metainfoFromInfo, parseMetainfo } from '../../torrent/metainfo.ts';
import { MetainfoError, type MetainfoErrorCode, pieceLengthOf } from '../../torrent/metainfo-model.ts';
import { makeSample, PIECE } from './sample-torrent.ts';

type Dictionary = Record<string, BencodeInput>;
const pieces = (count: number) => Buffer.alloc(20 * count, 1);
const root = Buffer.alloc(32, 7);
const torrent = (info: Dictionary, outer: Dictionary = {}) => encodeBencode({ ...outer, info });

/** Good torrents of each kind; the tests below break one thing at a time. */
const v1Single: Dictionary = { name: 'x', length: 100_000, 'piece length': PIECE, pieces: pieces(2) };
const v1Multi = (files: BencodeInput[], count = 1): Dictionary => ({
  name: 'x',
  files,
  'piece length': PIECE,
  pieces: pieces(count),
});
const file = (path: string[], length = 10): Dictionary => ({ length, path });
const v2 = (tree: Dictionary, more: Dictionary = {}): Dictionary => ({
  name: 'x',
  'file tree': tree,
  'meta version': 2,
  'piece length': PIECE,
  ...more,
});
const leaf = (length: number, more: Dictionary = {}): Dictionary => ({
  '': { length, ...(length > 0 ? { 'pieces root': root } : {}), ...more },
});
const hybrid = (files: BencodeInput[], tree: Dictionary, count: number): Dictionary => ({
  ...v2(tree),
  files,
  pieces: pieces(count),
});
const pad = (length: number): Dictionary => ({ attr: 'p', length, path: ['.pad', String(length)] });

suite('metainfo: what is read', () => {
  test('a v1 torrent of one file', () => {
    const bytes = torrent(v1Single, {
      announce: 'http://t/announce',
      'url-list': 'http://w/',
      'x.pe': ['10.0.0.1:6881', 'bad'],
    });
    const metainfo = parseMetainfo(bytes);
    assert.equal(metainfo.name, 'x');
    assert.equal(metainfo.multiFile, false);
    assert.deepEqual(metainfo.files, [
      { path: 'x', length: 100_000, offset: 0, pad: false, piecesRoot: undefined },
    ]);
    assert.deepEqual(
      [metainfo.pieceCount, metainfo.totalLength, pieceLengthOf(metainfo, 1)],
      [2, 100_000, 100_000 - PIECE],
    );
    assert.deepEqual(metainfo.infohashV1, createHash('sha1').update(encodeBencode(v1Single)).digest());
    assert.equal(metainfo.infohashV2, undefined);
    assert.deepEqual([metainfo.announce, metainfo.urlList], [['http://t/announce'], ['http://w/']]);
    assert.deepEqual(metainfo.explicitPeers, [{ host: '10.0.0.1', port: 6881 }]);
  });

  test('keys nobody knows stay in the infohash and are harmless', () => {
    const info = {
      ...v1Multi([{ ...file(['a']), 'path.utf-8': ['..', '/'], md5sum: 'x', attr: 'xh' }]),
      private: 1,
      source: 'y',
    };
    const metainfo = parseMetainfo(torrent(info));
    assert.equal(metainfo.files[0]?.path, 'a');
    assert.deepEqual(metainfo.infoBytes, encodeBencode(info));
  });

  test('a v2-only torrent: files on pieces, gaps shown as pads, pieces end with their file', () => {
    const layer = Buffer.concat([root, Buffer.alloc(32, 9)]);
    const layerRoot = merkleRoot(layer, paddingNode(PIECE / 16384));
    const tree = {
      a: { '': { length: PIECE + 5, 'pieces root': layerRoot } },
      b: { c: leaf(7), d: leaf(0) },
    };
    const bytes = torrent(v2(tree), { 'piece layers': new Map([[layerRoot.toString('latin1'), layer]]) });
    const metainfo = parseMetainfo(bytes);
    assert.deepEqual(
      metainfo.files.map(({ path, offset, length, pad: isPad }) => [path, offset, length, isPad]),
      [
        ['a', 0, PIECE + 5, false],
        [`.pad/${PIECE - 5}`, PIECE + 5, PIECE - 5, true],
        ['b/c', 2 * PIECE, 7, false],
        ['b/d', 2 * PIECE + 7, 0, false],
      ],
    );
    assert.deepEqual(
      [0, 1, 2].map((piece) => pieceLengthOf(metainfo, piece)),
      [PIECE, 5, 7],
    );
    assert.deepEqual(metainfo.wireInfohash, metainfo.infohashV2?.subarray(0, 20));
    assert.equal(metainfo.payloadLength, PIECE + 12);
    assert.throws(() => metainfoFromInfo(metainfo.infoBytes), { code: 'piece-layers' });
  });

  test('a hybrid with a pad at its very end', () => {
    const metainfo = parseMetainfo(torrent(hybrid([file(['a'], 5), pad(PIECE - 5)], { a: leaf(5) }, 1)));
    assert.equal(metainfo.totalLength, PIECE);
    assert.equal(pieceLengthOf(metainfo, 0), PIECE);
  });

  test('a bare info dictionary of a hybrid is checked by SHA-1 alone', async () => {
    await using sample = await makeSample();
    const metainfo = metainfoFromInfo(sample.metainfo.infoBytes);
    assert.deepEqual(metainfo.infohashV1, sample.metainfo.infohashV1);
    assert.equal(metainfo.pieceLayers.size, 0);
  });

  test('later changes of the input change nothing', () => {
    const bytes = torrent(v1Single);
    const metainfo = parseMetainfo(bytes);
    bytes.fill(0);
    assert.deepEqual(metainfo.infoBytes, encodeBencode(v1Single));
  });
});

suite('metainfo: what is refused', () => {
  const tooMany = Array.from({ length: 2 ** 17 + 1 }, () => file(['a'], 0));
  const cases: readonly (readonly [string, MetainfoErrorCode, Uint8Array])[] = [
    ['not bencode', 'malformed', Buffer.from('l-3:')],
    ['no info', 'malformed', encodeBencode({ a: 1 })],
    ['info is a list', 'malformed', encodeBencode({ info: [] })],
    ['neither v1 nor v2', 'malformed', torrent({ name: 'x', length: 1, 'piece length': PIECE })],
    ['unknown version', 'malformed', torrent({ ...v1Single, 'meta version': 3 })],
    ['no name', 'malformed', torrent({ length: 1, 'piece length': PIECE, pieces: pieces(1) })],
    ['length and files', 'malformed', torrent({ ...v1Single, files: [file(['a'])] })],
    ['pieces one short', 'malformed', torrent({ ...v1Single, pieces: pieces(1) })],
    ['pieces not a multiple of 20', 'malformed', torrent({ ...v1Single, pieces: Buffer.alloc(41) })],
    ['path is a string', 'malformed', torrent(v1Multi([{ length: 1, path: 'a' }]))],
    ['root on an empty file', 'malformed', torrent(v2({ a: { '': { length: 0, 'pieces root': root } } }))],
    ['no root', 'malformed', torrent(v2({ a: { '': { length: 5 } } }))],
    ['short root', 'malformed', torrent(v2({ a: leaf(5, { 'pieces root': root.subarray(1) }) }))],
    ['empty folder', 'malformed', torrent(v2({ a: {} }))],
    ['pad in the tree', 'malformed', torrent(v2({ a: leaf(5, { attr: 'p' }) }))],

    ['..', 'unsafe-path', torrent(v1Multi([file(['..', 'etc', 'passwd'])]))],
    ['.. in the middle', 'unsafe-path', torrent(v1Multi([file(['a', '..', 'b'])]))],
    ['.. as name', 'unsafe-path', torrent({ ...v1Single, name: '..' })],
    ['slash in name', 'unsafe-path', torrent({ ...v1Single, name: '/etc/passwd' })],
    ['empty name', 'unsafe-path', torrent({ ...v1Single, name: '' })],
    ['empty component', 'unsafe-path', torrent(v1Multi([file(['a', ''])]))],
    ['empty path', 'unsafe-path', torrent(v1Multi([file([])]))],
    ['slash', 'unsafe-path', torrent(v1Multi([file(['/etc/passwd'])]))],
    ['backslash', 'unsafe-path', torrent(v1Multi([file(['..\\x'])]))],
    ['NUL', 'unsafe-path', torrent(v1Multi([file(['a\0b'])]))],
    ['not UTF-8', 'unsafe-path', torrent(v1Multi([{ length: 1, path: [Buffer.from([0xff, 0xfe])] }]))],
    ['too long', 'unsafe-path', torrent(v1Multi([file(['a'.repeat(256)])]))],
    ['too deep', 'unsafe-path', torrent(v1Multi([file(Array.from({ length: 33 }, () => 'a'))]))],
    [
      'symbolic link',
      'unsafe-path',
      torrent(v1Multi([{ ...file(['a']), attr: 'l', 'symlink path': ['etc'] }])),
    ],
    ['.. in the tree', 'unsafe-path', torrent(v2({ '..': { a: leaf(5) } }))],

    ['same path twice', 'overlap', torrent(v1Multi([file(['a']), file(['a'])]))],
    ['same path but for case', 'overlap', torrent(v1Multi([file(['Root', 'a']), file(['root', 'A'])]))],
    ['file and folder', 'overlap', torrent(v1Multi([file(['a']), file(['a', 'b'])]))],
    ['folder and file', 'overlap', torrent(v1Multi([file(['a', 'b']), file(['A'])]))],
    ['file and folder in the tree', 'overlap', torrent(v2({ a: { ...leaf(5), b: leaf(5) } }))],

    ['negative length', 'absurd-size', torrent({ ...v1Single, length: -1 })],
    ['length over 2^53', 'absurd-size', torrent({ ...v1Single, length: 2n ** 60n })],
    ['a file over 64 GiB', 'absurd-size', torrent({ ...v1Single, length: 2 ** 36 + 1 })],
    [
      'files over 64 GiB together',
      'absurd-size',
      torrent(v1Multi([file(['a'], 2 ** 36), file(['b'], 2 ** 36)])),
    ],
    ['too many pieces', 'absurd-size', torrent({ ...v1Single, length: 2 ** 36, 'piece length': 16384 })],
    ['no bytes', 'absurd-size', torrent({ ...v1Single, length: 0, pieces: '' })],
    ['only pads', 'absurd-size', torrent(v1Multi([pad(5)]))],
    ['no files', 'absurd-size', torrent(v1Multi([]))],
    ['too many files', 'absurd-size', torrent(v1Multi(tooMany))],
    ['piece length 0', 'absurd-size', torrent({ ...v1Single, 'piece length': 0 })],
    ['piece length over 64 MiB', 'absurd-size', torrent({ ...v1Single, 'piece length': 2 ** 27 })],
    [
      'v2 piece length no power of two',
      'absurd-size',
      torrent(v2({ a: leaf(5) }, { 'piece length': 49152 })),
    ],
    ['v2 piece length below a block', 'absurd-size', torrent(v2({ a: leaf(5) }, { 'piece length': 8192 }))],
    ['v2 over 64 GiB', 'absurd-size', torrent(v2({ a: leaf(2 ** 36), b: leaf(2 ** 36) }))],

    ['hybrid: other length', 'hybrid-mismatch', torrent(hybrid([file(['a'], 6)], { a: leaf(5) }, 1))],
    ['hybrid: other name', 'hybrid-mismatch', torrent(hybrid([file(['b'], 5)], { a: leaf(5) }, 1))],
    [
      'hybrid: file more in v1',
      'hybrid-mismatch',
      torrent(hybrid([file(['a'], 5), pad(PIECE - 5), file(['b'], 5)], { a: leaf(5) }, 2)),
    ],
    [
      'hybrid: file more in v2',
      'hybrid-mismatch',
      torrent(hybrid([file(['a'], 5)], { a: leaf(5), b: leaf(5) }, 1)),
    ],
    [
      'hybrid: not aligned',
      'hybrid-mismatch',
      torrent(hybrid([file(['a'], 5), file(['b'], 5)], { a: leaf(5), b: leaf(5) }, 1)),
    ],
    [
      'hybrid: endless pad',
      'hybrid-mismatch',
      torrent(hybrid([file(['a'], 5), pad(PIECE)], { a: leaf(5) }, 2)),
    ],
    [
      'hybrid: one file against a folder',
      'hybrid-mismatch',
      torrent({ ...v2({ y: leaf(5) }), length: 5, pieces: pieces(1) }),
    ],

    ['layers missing', 'piece-layers', torrent(v2({ a: leaf(PIECE + 1) }))],
    [
      'layer too short',
      'piece-layers',
      torrent(v2({ a: leaf(PIECE + 1) }), { 'piece layers': new Map([[root.toString('latin1'), root]]) }),
    ],
    [
      'layer of other bytes',
      'piece-layers',
      torrent(v2({ a: leaf(PIECE + 1) }), {
        'piece layers': new Map([[root.toString('latin1'), Buffer.alloc(64)]]),
      }),
    ],
  ];
  for (const [what, code, bytes] of cases) {
    test(`${what}: ${code}`, () => {
      assert.throws(
        () => parseMetainfo(bytes),
        (error) => {
          assert.ok(error instanceof MetainfoError, String(error));
          assert.equal(error.code, code, error.message);
          return true;
        },
      );
    });
  }

  test('more bytes than any torrent has', () => {
    assert.throws(() => parseMetainfo(Buffer.alloc(64 * 2 ** 20 + 1)), { code: 'absurd-size' });
  });

  test('a torrent with any one byte changed is read differently or refused, never worse', async () => {
    await using sample = await makeSample({ a: 100, b: PIECE * 3 });
    fc.assert(
      fc.property(fc.nat(sample.torrent.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(sample.torrent);
        bytes[at]! ^= change;
        try {
          const metainfo = parseMetainfo(bytes);
          assert.notDeepEqual(metainfo.infohashV2, sample.metainfo.infohashV2);
        } catch (error) {
          if (!(error instanceof MetainfoError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('random bytes and random dictionaries throw MetainfoError and nothing else', () => {
    const scalar = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.constant<BencodeInput[]>([]),
      fc.constant<Dictionary>({}),
    );
    const anyInfo = fc.record(
      Object.fromEntries(
        ['name', 'length', 'files', 'file tree', 'meta version', 'piece length', 'pieces'].map((key) => [
          key,
          scalar,
        ]),
      ),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.uint8Array(), anyInfo, scalar, (bytes, info, layers) => {
        for (const input of [
          bytes,
          torrent(info as Dictionary, { 'piece layers': layers }),
          torrent({ ...v1Single, ...(info as Dictionary) }),
        ]) {
          try {
            parseMetainfo(input);
          } catch (error) {
            if (!(error instanceof MetainfoError)) throw error;
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
