import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Entry, withDirectories, writeCpio } from '../../contract/cpio.ts';
import { readCpio } from './read-cpio.ts';

const text = (path: string, content = ''): Entry => ({
  kind: 'file',
  path,
  mode: 0o644,
  bytes: Buffer.from(content),
});

const name = fc.stringMatching(/^[a-z0-9.ä]{1,12}$/).filter((part) => part !== '.' && part !== '..');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    path,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    bytes: fc.uint8Array({ maxLength: 50 }),
  }),
  fc.record({ kind: fc.constant('symlink' as const), path, target: path }),
  fc.record({
    kind: fc.constant('character-device' as const),
    path,
    mode: fc.constant(0o600),
    major: fc.integer({ min: 0, max: 4095 }),
    minor: fc.integer({ min: 0, max: 0xfffff }),
  }),
);
/** Distinct paths, none of which is the directory of another. */
const entries = fc
  .uniqueArray(entry, { selector: ({ path }) => path, maxLength: 12 })
  .map((list) => list.filter(({ path }) => !list.some((other) => other.path.startsWith(`${path}/`))));

test('what is written can be read back, sorted, owned by root, aligned to four bytes', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 0, max: 0xffffffff }), (list, mtime) => {
      const all = withDirectories(list);
      const bytes = writeCpio(all, mtime);
      const { members, length } = readCpio(bytes);
      assert.equal(length, bytes.length);
      assert.equal(bytes.length % 4, 0);
      assert.deepEqual(
        members.map(({ inode }) => inode),
        members.map((_, index) => index + 1),
      );
      assert.equal(members.length, all.length);
      for (const [index, member] of members.entries()) {
        const previous = members[index - 1];
        if (previous) assert.ok(Buffer.compare(Buffer.from(previous.path), Buffer.from(member.path)) < 0);
        assert.deepEqual([member.uid, member.gid, member.mtime], [0, 0, mtime]);
        const source = all.find((candidate) => candidate.path === member.path);
        assert.ok(source);
        if (source.kind === 'file') {
          assert.equal(member.mode, 0o100000 | source.mode);
          assert.deepEqual([...member.data], [...source.bytes]);
        } else if (source.kind === 'symlink') {
          assert.equal(member.mode, 0o120777);
          assert.equal(member.data.toString(), source.target);
        } else if (source.kind === 'character-device') {
          assert.equal(member.mode, 0o020000 | source.mode);
          assert.deepEqual(member.device, [source.major, source.minor]);
        } else assert.equal(member.mode, 0o040755);
      }
    }),
  );
});

test('the order in which entries are given does not change the bytes', () => {
  const list = withDirectories([text('b/two', '2'), text('a', '1'), text('b/one', '3'), text('a.b/c', '4')]);
  const bytes = writeCpio(list, 7);
  assert.ok(bytes.equals(writeCpio([...list].reverse(), 7)));
  assert.ok(!bytes.equals(writeCpio(list, 8)));
});

test('a directory stands before what is in it', () => {
  const { members } = readCpio(writeCpio(withDirectories([text('a/b/c'), text('a-b')]), 0));
  const at = (path: string): number => members.findIndex((member) => member.path === path);
  assert.ok(at('a') >= 0 && at('a') < at('a/b') && at('a/b') < at('a/b/c'));
});

test('the first bytes are those of a known archive', () => {
  const expected = `070701${'00000001'}${'000081A4'}${'00000000'.repeat(2)}${'00000001'}${'00000000'}${'00000002'}${'00000000'.repeat(4)}${'00000002'}${'00000000'}a\0hi\0\0`;
  const bytes = writeCpio([text('a', 'hi')], 0);
  assert.equal(bytes.toString('latin1', 0, expected.length), expected);
});

test('paths that an initramfs cannot have are refused', () => {
  for (const bad of ['', '/etc/passwd', 'a//b', 'a/../b', './a', 'a/', 'TRAILER!!!'])
    assert.throws(() => writeCpio([text(bad)], 0), /Cannot put/, bad);
  assert.throws(() => writeCpio([text('a'), text('a')], 0), /twice/);
  assert.throws(() => writeCpio([text('etc/hosts')], 0), /no entry for its directory "etc"/);
});
