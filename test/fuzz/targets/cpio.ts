/**
 * contract/cpio.ts and agent/handoff/cpio-layout.ts: what the writer accepts, a strict reader of its own reads back the same.
 * (We read no archives of strangers; the kernel reads ours.) The input chooses paths, kinds, lengths and bytes.
 */
import assert from 'node:assert/strict';
import { cpioLayout } from '../../../agent/handoff/cpio-layout.ts';
import { type Entry, withDirectories, writeCpio } from '../../../contract/cpio.ts';
import { readCpio } from '../../contract/read-cpio.ts';
import type { Target } from '../target.ts';

const KINDS = ['file', 'directory', 'symlink', 'character-device'] as const;

/** Each line: kind, path, and for files their bytes. */
function entriesOf(input: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (const line of input.toString('latin1').split('\n').slice(0, 64)) {
    const [kind = '', path = '', rest = ''] = line.split(' ');
    switch (KINDS[kind.charCodeAt(0) % 4 || 0]) {
      case 'directory':
        entries.push({ kind: 'directory', path });
        break;
      case 'symlink':
        entries.push({ kind: 'symlink', path, target: rest });
        break;
      case 'character-device':
        entries.push({ kind: 'character-device', path, mode: 0o600, major: rest.length, minor: 1 });
        break;
      default:
        entries.push({ kind: 'file', path, mode: 0o644, bytes: Buffer.from(rest) });
    }
  }
  return entries;
}

function layout(initrdBytes: number, rootBytes: number): void {
  const plan = cpioLayout(initrdBytes, rootBytes);
  assert.ok(plan);
  const bytes = Buffer.alloc(plan.lengthBytes);
  for (const literal of plan.literals) literal.bytes.copy(bytes, literal.offset);
  bytes.fill(0x73, plan.rootOffset, plan.rootOffset + rootBytes);
  const { members } = readCpio(bytes.subarray(Math.ceil(initrdBytes / 4) * 4));
  assert.deepEqual(
    members.map(({ path }) => path),
    ['swarmboot', 'swarmboot/root.squashfs'],
  );
  assert.ok(members[1]!.data.length === rootBytes && members[1]!.data.every((byte) => byte === 0x73));
}

export const makeTarget = (): Target => ({
  sources: ['contract/cpio.ts', 'agent/handoff/cpio-layout.ts'],
  seeds: [
    'D etc\n@ etc/hostname lab\n',
    'E etc\nB etc/link target\nC dev/console x\n',
    '@ a/b/c hello\n@ a/d \n',
  ].map((text) => Buffer.from(text)),
  dictionary: ['@ ', 'A ', 'B ', 'C ', '\n', '/', '..', '.', 'TRAILER!!!', '\0', 'etc/', ' '],
  run(input) {
    layout(input.length, 1 + (input[0] ?? 0) * 17);
    const entries = withDirectories(entriesOf(input));
    let archive: Buffer;
    try {
      archive = writeCpio(entries, 1_700_000_000);
    } catch (error) {
      assert.match((error as Error).message, /^Cannot put "/);
      return `refused: ${(error as Error).message.replace(/".*"/s, '').slice(0, 40)}`;
    }
    const { members, length } = readCpio(archive);
    assert.equal(length, archive.length);
    assert.equal(archive.length % 4, 0);
    assert.equal(members.length, entries.length);
    const byPath = new Map(entries.map((entry) => [entry.path, entry]));
    for (const member of members) {
      const entry = byPath.get(member.path);
      assert.ok(entry, member.path);
      if (entry.kind === 'file') assert.deepEqual(member.data, entry.bytes);
      if (entry.kind === 'symlink') assert.equal(member.data.toString(), entry.target);
    }
    return `written ${[...new Set(entries.map(({ kind }) => kind))].sort()}`;
  },
});
