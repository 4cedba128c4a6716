import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isStage1, runCli } from '../../agent/cli.ts';
import { VERSION } from '../../agent/version.ts';
import { serializeManifest } from '../../contract/manifest.ts';
import { goodManifest } from '../contract/fixtures.ts';
import { fakeMachine } from './fakes.ts';

async function cli(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await runCli(args, { out: (text) => out.push(text), err: (text) => err.push(text) });
  return { status, out: out.join(''), err: err.join('') };
}

function planFiles(context: TestContext): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-plan-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string | Uint8Array): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const MIB = 1024 ** 2;
  const memmap = JSON.stringify([
    { start: 0, end: 2048 * MIB - 1, type: 'System RAM' },
    { start: 640 * MIB, end: 1040 * MIB - 1, type: 'pmem' },
  ]);
  return [
    ...['--meminfo', file('meminfo', 'MemTotal: 1500000 kB\nMemAvailable: 1300000 kB\n')],
    ...[
      '--memmap',
      file('memmap.json', memmap),
      '--image',
      file('manifest.json', serializeManifest(goodManifest)),
    ],
  ];
}

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  assert.equal(VERSION, version);
  assert.deepEqual(await cli('--version'), { status: 0, out: `${version}\n`, err: '' });
});

test('help names every command; wrong usage ends with 2', async () => {
  const { status, out } = await cli('--help');
  assert.equal(status, 0);
  for (const word of ['boot', 'fetch', 'plan']) assert.match(out, new RegExp(`swarmboot-agent \\[?${word}`));
  assert.equal((await cli('dance')).status, 2);
  assert.match((await cli('fetch', '--manifest', 'x')).err, /--key must be given/);
  assert.equal((await cli('plan')).status, 2);
});

test('without a command a machine that is not in stage-1 is left alone', async (context) => {
  const machine = fakeMachine(context);
  machine.file('/proc/mounts', '/dev/sda1 / ext4 rw 0 0\n');
  const err: string[] = [];
  assert.equal(await runCli([], { out: () => {}, err: (text) => err.push(text) }, machine), 2);
  assert.match(err.join(''), /Only for stage-1/);
  assert.equal(isStage1(machine), false);
  machine.file('/proc/mounts', 'rootfs / rootfs rw,size=400000k,nr_inodes=1 0 0\nproc /proc proc rw 0 0\n');
  assert.equal(isStage1(machine), true);
});

test('plan prints the handoff as JSON, and fails when there is none', async (context) => {
  const files = planFiles(context);
  const { status, out } = await cli('plan', ...files);
  assert.equal(status, 0);
  const { plan } = JSON.parse(out);
  assert.equal(plan.strategy, 'pmem');
  assert.deepEqual(plan.layout.reserved, { start: 640 * 1024 ** 2, lengthBytes: 144 * 1024 ** 2 });
  const cpio = JSON.parse((await cli('plan', ...files, '--handoff', 'cpio')).out).plan;
  assert.match(cpio.layout.files[1].literals[0].bytes, /^[0-9a-f]+$/);
  writeFileSync(files[1] ?? '', 'MemTotal: 1500000 kB\nMemAvailable: 1000 kB\n');
  const refused = await cli('plan', ...files);
  assert.equal(refused.status, 1);
  assert.equal(JSON.parse(refused.out).refusal.code, 'too-little-memory');
  assert.equal((await cli('plan', ...files, '--handoff', 'magic')).status, 2);
});
