/** torrent/metainfo*.ts: what is accepted is coherent, safe to write to a folder, and survives new outer keys. */
import assert from 'node:assert/strict';
import { isAbsolute, normalize } from 'node:path';
import { encodeBencode } from '../../../torrent/bencode.ts';
import { merkleRoot } from '../../../torrent/merkle.ts';
import { metainfoFromInfo, parseMetainfo } from '../../../torrent/metainfo.ts';
import { type Metainfo, MetainfoError, pieceLengthOf } from '../../../torrent/metainfo-model.ts';
import { withOuterKeys } from '../../../torrent/metainfo-outer.ts';
import type { Target } from '../target.ts';

const PIECE = 16_384;
const leaf = Buffer.alloc(32, 7);
const layer = Buffer.concat([leaf, Buffer.alloc(32, 8)]);
const root = merkleRoot(layer, Buffer.alloc(32));

const v1 = { name: 'a', 'piece length': PIECE, length: 20_000, pieces: Buffer.alloc(40, 1) };
const v1Files = {
  name: 'a',
  'piece length': PIECE,
  files: [
    { length: 10_000, path: ['b', 'c'] },
    { attr: 'p', length: 6384, path: ['.pad', '6384'] },
    { length: 5, path: ['d'] },
  ],
  pieces: Buffer.alloc(40, 1),
};
const tree = {
  c: { '': { length: 20_000, 'pieces root': root } },
  e: { f: { '': { length: 3, 'pieces root': leaf } }, g: { '': { length: 0 } } },
};
const v2 = { name: 'a', 'meta version': 2, 'piece length': PIECE, 'file tree': tree };
const hybrid = {
  ...v2,
  files: [
    { length: 20_000, path: ['c'] },
    { attr: 'p', length: 12_768, path: ['.pad', '12768'] },
    { length: 3, path: ['e', 'f'] },
    { length: 0, path: ['e', 'g'] },
  ],
  pieces: Buffer.alloc(60, 2),
};
const layers = new Map([[root.toString('latin1'), layer]]);
const outer = {
  announce: 'http://10.0.0.1/announce',
  'announce-list': [['udp://10.0.0.1:6969'], ['https://t.example/a']],
  'url-list': ['http://10.0.0.1/files/'],
  'x.pe': ['10.0.0.1:6881', '[fe80::1]:6881'],
};

function check(metainfo: Metainfo): void {
  let end = 0;
  for (const file of metainfo.files) {
    assert.equal(file.offset, end, 'files lie one behind another');
    end += file.length;
    assert.ok(!isAbsolute(file.path) && !file.path.split('/').includes('..'), file.path);
    assert.equal(normalize(file.path), file.path);
    assert.ok(!/[\0-\x1f]/.test(file.path), 'a path without control characters');
  }
  assert.equal(end, metainfo.totalLength);
  assert.equal(metainfo.pieceCount, Math.ceil(metainfo.totalLength / metainfo.pieceLength));
  const last = pieceLengthOf(metainfo, metainfo.pieceCount - 1);
  assert.ok(last > 0 && last <= metainfo.pieceLength);
  assert.equal(metainfo.wireInfohash.length, 20);
}

const attempt = (work: () => Metainfo): Metainfo | string => {
  try {
    return work();
  } catch (error) {
    if (error instanceof MetainfoError) return error.code;
    throw error;
  }
};

export const makeTarget = (): Target => ({
  sources: ['torrent/metainfo', 'torrent/merkle', 'torrent/endpoint'],
  seeds: [
    encodeBencode({ ...outer, info: v1 }),
    encodeBencode({ info: v1Files }),
    encodeBencode({ ...outer, info: v2, 'piece layers': layers }),
    encodeBencode({ info: hybrid, 'piece layers': layers }),
    encodeBencode(v1),
    encodeBencode(hybrid),
  ],
  dictionary: [
    ...[
      '4:info',
      '6:lengthi',
      '5:files',
      '4:pathl',
      '4:attr1:p',
      '4:attr1:l',
      '9:file tree',
      '11:pieces root',
    ],
    ...[
      '12:piece layers',
      '12:meta versioni2e',
      '12:piece lengthi16384e',
      '6:pieces',
      '0:d',
      '2:..',
      '1:.',
      '1:/',
    ],
    ...[
      '3:a/b',
      '4:name',
      '8:announce',
      '13:announce-list',
      '8:url-list',
      '4:x.pe',
      'i0e',
      'i-1e',
      'de',
      'le',
    ],
    Buffer.concat([Buffer.from('32:'), leaf]),
    Buffer.concat([Buffer.from('32:'), root]),
  ],
  maxBytes: 2048,
  run(input) {
    const whole = attempt(() => parseMetainfo(input));
    const bare = attempt(() => metainfoFromInfo(input));
    for (const parsed of [whole, bare]) if (typeof parsed !== 'string') check(parsed);
    if (typeof whole === 'string')
      return typeof bare === 'string' ? `refused: ${whole} ${bare}` : 'info accepted';
    const again = parseMetainfo(withOuterKeys(whole, whole));
    assert.deepEqual(again.wireInfohash, whole.wireInfohash);
    assert.deepEqual(again.files, whole.files);
    assert.deepEqual([again.announce, again.urlList], [whole.announce, whole.urlList]);
    return `accepted: v1 ${whole.infohashV1 !== undefined} v2 ${whole.infohashV2 !== undefined}`;
  },
});
