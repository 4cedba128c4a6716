/**
 * An image of more than 4 GiB, on a machine whose RAM is in two pieces with the devices' hole between them: a region fits
 * into the upper one only. First as the server gives it to a machine that it has never seen, then by the machine's own map.
 */
import assert from 'node:assert/strict';
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { bootToLogin } from '../../../qemu/boot-to-login.ts';
import { withLab } from '../../../qemu/lab.ts';
import { CONFIG, CREDENTIALS, IMAGE, prepare, STATE, startStage1 } from '../prepare.ts';

const LARGE = 'large';
const GIB = 2 ** 30;
const BALLAST_BYTES = 4000 * 2 ** 20;
/** A q35 machine with so much has 2 GiB below the hole and 5 GiB above it. */
const MEMORY_MIB = 7 * 1024;
/** The image through an emulated network card, its hashes by an emulated processor, twice. */
const LOGIN_TIMEOUT_MS = 40 * 60_000;
const BUILD_TIMEOUT_MS = 10 * 60_000;

/** State of a boot server with the lab's stage-1, and the lab's image with 4 GiB of noise in its root. */
function largeImage(t: TestContext): string {
  const state = mkdtempSync(join(tmpdir(), 'swarmboot-large-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  cpSync(join(STATE, 'stage1'), join(state, 'stage1'), { recursive: true });
  const root = join(state, 'root.squashfs');
  const options: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'], timeout: BUILD_TIMEOUT_MS };
  const files = join(STATE, 'images', IMAGE, 'current/files');
  const release = join(files, readdirSync(files)[0] ?? '');
  copyFileSync(join(release, 'root.squashfs'), root);
  // Nothing that a machine or squashfs could make smaller. The tables that lead to every file lie behind it, above 4 GiB.
  const noise = 'openssl enc -aes-128-ctr -pass pass:swarmboot -nosalt -pbkdf2 </dev/zero 2>/dev/null';
  execFileSync(
    'sh',
    [
      '-c',
      `mkdir ballast && ${noise} | head -c ${BALLAST_BYTES} >ballast/noise && mksquashfs ballast root.squashfs -no-progress -no-recovery -action 'uncompressed@name(noise)' && rm -r ballast`,
    ],
    { ...options, cwd: state },
  );
  execFileSync(
    join(import.meta.dirname, '../../../bin/swarmboot'),
    [
      ...['image', 'import', '--name', LARGE, '--state', state, '--config', CONFIG, '--link-root'],
      ...['--kernel', join(release, 'vmlinuz'), '--initrd', join(release, 'initrd.img'), '--root', root],
    ],
    options,
  );
  return state;
}

describe('an image of more than 4 GiB', () => {
  let host: AcceleratorDecision;
  before(async () => {
    host = await prepare();
  });

  it('lies in the RAM above the hole, in a machine that is unknown and in one that is known', async (t) => {
    const options = {
      ...{ machines: 1, accelerator: host.accelerator, state: largeImage(t), config: CONFIG, image: LARGE },
      memoryMiB: MEMORY_MIB,
    };
    await withLab(options, async (lab) => {
      const first = await startStage1(lab, 0, 'swarmboot.handoff=pmem swarmboot.linger=0');
      const chosen = /^swarmboot: phase memory: end ok .*pmem.*\n/m;
      await first.expect(chosen, { from: 0, timeoutMs: 5 * 60_000 });
      await first.powerOff();

      const second = await startStage1(lab, 0, 'swarmboot.handoff=pmem swarmboot.linger=0');
      const outcome = await bootToLogin(second, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS });
      assert.ok(outcome.ok, outcome.failure ?? 'failed');
      assert.equal(outcome.facts?.squashfsSource, '/dev/pmem0');
      const region = / memmap=(\d+)M!(0x[0-9a-f]+)/.exec(outcome.facts?.cmdline ?? '');
      assert.ok(region, outcome.facts?.cmdline ?? 'no facts');
      assert.ok(Number(region[1]) * 2 ** 20 > 4 * GIB, region[0]);
      assert.ok(Number(region[2]) >= 4 * GIB, region[0]);
    });
  });
});
