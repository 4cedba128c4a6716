/**
 * The published kernel and initrd in a QEMU machine: the boot script finds the root in persistent memory and in a
 * file of the initramfs, and says what is wrong where there is none. No network, no stage-1: those have tests/vm.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, copyFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDirectories, writeCpio } from '../../contract/cpio.ts';
import { parseManifest } from '../../contract/manifest.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'swarmboot-boot-'));
const machines: ChildProcess[] = [];
after(() => {
  for (const machine of machines) machine.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

let payload = '';
before(
  () => {
    const swarmboot = (...args: string[]) =>
      execFileSync(join(root, 'bin/swarmboot'), [...args, '--config', join(folder, 'config')], {
        stdio: 'pipe',
        timeout: 590_000,
      });
    swarmboot('key', 'generate');
    const recipe = ['--name', 'demo', '--user', 'demo', '--password', 'demo', '--size', 'small'];
    const state = join(folder, 'state');
    swarmboot('image', 'build', ...recipe, '--state', state, '--cache', join(root, '.cache/images'));
    const current = join(state, 'images/demo/current');
    const { version } = parseManifest(readFileSync(join(current, 'manifest.json')));
    payload = join(current, 'files', `demo-${version}`);
  },
  { timeout: 600_000 },
);

/** Boots until `wanted` stands on the serial console; rejects with its tail after `seconds`. */
async function bootUntil(
  name: string,
  machine: { memoryMebibytes: number; initrd: string; cmdline: string; more?: readonly string[] },
  wanted: RegExp,
  seconds: number,
): Promise<string> {
  const log = join(folder, `${name}.log`);
  closeSync(openSync(log, 'w'));
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg', '-machine', 'q35', '-cpu', 'max', '-m', String(machine.memoryMebibytes)],
      ...['-display', 'none', '-monitor', 'none', '-no-reboot', '-nic', 'none', '-serial', `file:${log}`],
      ...['-kernel', join(payload, 'vmlinuz'), '-initrd', machine.initrd],
      ...[
        '-append',
        `console=ttyS0,115200 panic=1 boot=swarmboot ${machine.cmdline}`,
        ...(machine.more ?? []),
      ],
    ],
    { stdio: 'ignore' },
  );
  machines.push(child);
  for (let waited = 0; waited < seconds * 5; waited++) {
    const text = readFileSync(log, 'latin1');
    if (wanted.test(text)) {
      child.kill('SIGKILL');
      return text;
    }
    await sleep(200);
  }
  throw new Error(`No ${wanted} within ${seconds} seconds:\n${readFileSync(log, 'latin1').slice(-3000)}`);
}

const PMEM_START_MIB = 1024;
const pmem = (file: string): readonly string[] => [
  '-device',
  `loader,file=${file},addr=0x${(PMEM_START_MIB * 1024 * 1024).toString(16)},force-raw=on`,
];
const memmap = (bytes: number): string => `memmap=${Math.ceil(bytes / 2 ** 21) * 2}M!${PMEM_START_MIB}M`;

test('a root in persistent memory boots into systemd', { timeout: 300_000 }, async () => {
  const file = join(payload, 'root.squashfs');
  const { size } = await stat(file);
  const text = await bootUntil(
    'pmem',
    {
      memoryMebibytes: 1536,
      initrd: join(payload, 'initrd.img'),
      cmdline: `swarmboot.root=pmem:/dev/pmem0 ${memmap(size)}`,
      more: pmem(file),
    },
    /Welcome to .*Debian/,
    280,
  );
  assert.match(text, /swarmboot: root is pmem:\/dev\/pmem0, changes stay in RAM/);
});

test('a root in a file of the initramfs boots into systemd', { timeout: 300_000 }, async () => {
  const initrd = join(folder, 'all.img');
  await copyFile(join(payload, 'initrd.img'), initrd);
  await appendFile(initrd, Buffer.alloc((4 - ((await stat(initrd)).size % 4)) % 4));
  const image = readFileSync(join(payload, 'root.squashfs'));
  await appendFile(
    initrd,
    writeCpio(
      withDirectories([{ kind: 'file', path: 'swarmboot/root.squashfs', mode: 0o444, bytes: image }]),
      0,
    ),
  );
  const text = await bootUntil(
    'file',
    { memoryMebibytes: 1024, initrd, cmdline: 'swarmboot.root=file:/swarmboot/root.squashfs root=tmpfs' },
    /Welcome to .*Debian/,
    280,
  );
  assert.match(text, /swarmboot: root is file:\/swarmboot\/root\.squashfs/);
});

test('persistent memory without a squashfs: a sentence, then a reboot', { timeout: 300_000 }, async () => {
  const rubbish = join(folder, 'rubbish');
  writeFileSync(rubbish, Buffer.alloc(2 ** 21, 'x'));
  const text = await bootUntil(
    'rubbish',
    {
      memoryMebibytes: 1536,
      initrd: join(payload, 'initrd.img'),
      cmdline: `swarmboot.root=pmem:/dev/pmem0 ${memmap(2 ** 21)}`,
      more: pmem(rubbish),
    },
    /Rebooting automatically due to panic= boot argument/,
    280,
  );
  assert.match(text, /swarmboot: cannot mount the root image: \/dev\/pmem0 holds no squashfs/);
});
