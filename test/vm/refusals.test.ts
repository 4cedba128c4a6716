/** Boots that must not succeed: they say why, try again as long as that makes sense, and reboot. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { generateKey, signBytes } from '../../contract/signify.ts';
import type { AcceleratorDecision } from '../../qemu/accel.ts';
import { type Lab, withLab } from '../../qemu/lab.ts';
import type { Machine } from '../../qemu/machine.ts';
import { CONFIG, IMAGE, prepare, STATE, startStage1 } from './prepare.ts';

const BOOT_MS = 120_000;
/** Countdown of the emergency screen in these tests, in seconds. */
const REBOOT = 'swarmboot.reboot=3';

let host: AcceleratorDecision;
before(async () => {
  host = await prepare();
});

const options = (state: string) => ({
  ...{ machines: 1, accelerator: host.accelerator, state, config: CONFIG, image: IMAGE },
});

/** The countdown, and then a machine that has really reset (QEMU ends with -no-reboot). */
async function expectReboot(machine: Machine): Promise<void> {
  await machine.expect(/^swarmboot: rebooting in 3s$/m, { timeoutMs: 30_000 });
  await machine.expect(/^swarmboot: rebooting in 1s$/m, { timeoutMs: 30_000 });
  const { code } = await machine.exited;
  assert.equal(code, 0, 'the machine reset');
  assert.ok(
    !machine.console.lines.some(({ text }) => /Kernel panic|phase handoff/.test(text)),
    'neither a panic nor a handoff',
  );
}

/** A state folder like the lab's, but its image's manifest is signed by a key that stage-1 does not know. */
function forgedState(t: TestContext): string {
  const state = mkdtempSync(join(tmpdir(), 'swarmboot-forged-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  cpSync(STATE, state, { recursive: true, verbatimSymlinks: true });
  const release = join(state, 'images', IMAGE, 'current');
  const manifest = readFileSync(join(release, 'manifest.json'));
  writeFileSync(join(release, 'manifest.json.sig'), signBytes(generateKey(randomBytes), manifest, 'forged'));
  return state;
}

describe('stage-1 refuses', () => {
  it('a manifest that another key has signed', async (t) => {
    await withLab(options(forgedState(t)), async (lab: Lab) => {
      const machine = await startStage1(lab, 0, REBOOT);
      await machine.expect(/^swarmboot: phase manifest: end failed .*another key/m, { timeoutMs: BOOT_MS });
      const { match } = await machine.expect(/^swarmboot: error (\S+): (.*)$/m, { timeoutMs: 30_000 });
      assert.equal(match[1], 'signature-untrusted');
      assert.match(match[2]!, /another key/);
      await expectReboot(machine);
    });
  });

  it('to hang when the server is gone and nobody has the image', async () => {
    // 40 Mbit/s: slow enough that the server can go away in the middle.
    await withLab({ ...options(STATE), linkBitsPerSecond: 40_000_000 }, async (lab: Lab) => {
      const machine = await startStage1(lab, 0, `${REBOOT} swarmboot.retry-timeout=20`);
      const { match } = await machine.expect(/^swarmboot: progress (\d+\.\d)% /m, { timeoutMs: BOOT_MS });
      await lab.server.stopHttp();
      assert.ok(Number(match[1]) < 100, 'the server went away in the middle');
      const { match: error } = await machine.expect(/^swarmboot: error (\S+): (.*)$/m, { timeoutMs: 90_000 });
      assert.match(error[0], /peer|server|source|progress/i, 'it says what is missing');
      await expectReboot(machine);
    });
  });
});
