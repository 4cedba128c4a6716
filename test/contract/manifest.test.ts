import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  checkManifest,
  fileOfRole,
  MANIFEST_LIMIT_BYTES,
  ManifestError,
  parseManifest,
  serializeManifest,
} from '../../contract/manifest.ts';
import { goodManifest } from './fixtures.ts';

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const refusal = (value: unknown): string => {
  try {
    parseManifest(bytesOf(value));
  } catch (error) {
    assert.ok(error instanceof ManifestError);
    assert.equal(error.code, 'malformed');
    return error.message;
  }
  return 'accepted';
};
const [kernel, initrd, root] = goodManifest.files;

test('a manifest survives serialising and parsing', () => {
  assert.deepEqual(parseManifest(serializeManifest(goodManifest)), goodManifest);
  assert.deepEqual(serializeManifest(goodManifest), serializeManifest(structuredClone(goodManifest)));
});

test('each wrong field is named in the refusal', () => {
  assert.match(refusal({ ...goodManifest, format: 2 }), /"format"/);
  assert.match(refusal({ ...goodManifest, name: '../etc' }), /"name"/);
  assert.match(refusal({ ...goodManifest, version: 'A B' }), /"version"/);
  assert.match(refusal({ ...goodManifest, arch: 'riscv64' }), /"arch"/);
  assert.match(refusal({ ...goodManifest, created: 'yesterday' }), /"created"/);
  assert.match(refusal({ ...goodManifest, cmdline: 'a\nb' }), /"cmdline"/);
  assert.match(refusal({ ...goodManifest, strategies: [] }), /"strategies"/);
  assert.match(
    refusal({ ...goodManifest, torrent: { ...goodManifest.torrent, infohashV2: 'bb' } }),
    /"torrent.infohashV2"/,
  );
  assert.match(
    refusal({ ...goodManifest, files: [{ ...kernel, path: '../vmlinuz' }, initrd, root] }),
    /"files.0.path"/,
  );
  assert.match(
    refusal({ ...goodManifest, files: [{ ...kernel, length: 2 ** 50 }, initrd, root] }),
    /"files.0.length"/,
  );
  assert.match(refusal({ ...goodManifest, extra: true }), /"extra"/);
});

test('roles must be there once each, paths must differ', () => {
  assert.match(refusal({ ...goodManifest, files: [kernel, initrd] }), /0 files of role "root"/);
  assert.match(
    refusal({ ...goodManifest, files: [kernel, initrd, root, { ...root, path: 'other' }] }),
    /2 files of role "root"/,
  );
  assert.match(
    refusal({ ...goodManifest, files: [{ ...kernel, path: 'initrd.img' }, initrd, root] }),
    /path twice/,
  );
});

test('oversized and non-JSON bytes are refused', () => {
  assert.throws(() => parseManifest(new Uint8Array(MANIFEST_LIMIT_BYTES + 1)), /more than/);
  assert.throws(() => parseManifest(new TextEncoder().encode('{')), /not JSON/);
  assert.throws(() => parseManifest(Uint8Array.of(0xff, 0xfe)), /not JSON/);
});

test('property: no bytes do anything but parse or throw a ManifestError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.jsonValue().map(bytesOf)), (bytes) => {
      try {
        parseManifest(bytes);
      } catch (error) {
        assert.ok(error instanceof ManifestError);
      }
    }),
  );
});

test('another arch and an expired manifest are refused, a machine without a clock boots', () => {
  const during = Date.parse('2026-02-01T00:00:00Z');
  const after = Date.parse('2027-02-01T00:00:00Z');
  checkManifest(goodManifest, { arch: 'amd64', nowMs: during });
  checkManifest(goodManifest, { arch: 'amd64', nowMs: undefined });
  assert.throws(() => checkManifest(goodManifest, { arch: 'arm64', nowMs: during }), { code: 'wrong-arch' });
  assert.throws(() => checkManifest(goodManifest, { arch: 'amd64', nowMs: after }), { code: 'expired' });
});

test('fileOfRole finds the one file', () => {
  assert.equal(fileOfRole(goodManifest, 'root').path, 'root.squashfs');
});

test('a minimum of -0 bytes is 0', () => {
  const text = JSON.stringify({ ...goodManifest, minimumMemoryBytes: 7 }).replace(':7', ':-0');
  assert.ok(Object.is(parseManifest(Buffer.from(text)).minimumMemoryBytes, 0));
});
