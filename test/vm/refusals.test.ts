/** Boots that must not succeed: they say why, try again as long as that makes sense, and reboot. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { formatPublicKey, generateKey, signBytes } from '../../contract/signify.ts';
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

const options = () => ({
  ...{ machines: 1, accelerator: host.accelerator, state: STATE, config: CONFIG, image: IMAGE },
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

/** A boot server whose key, and so the signature of its release, is another than the one that stage-1 was built with. */
function strangeServer(t: TestContext): { state: string; config: string } {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-strange-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const state = join(folder, 'state');
  const config = join(folder, 'config');
  cpSync(STATE, state, { recursive: true, verbatimSymlinks: true });
  mkdirSync(config);
  const key = generateKey(randomBytes);
  writeFileSync(join(config, 'release.pub'), formatPublicKey(key, 'strange'));
  const release = join(state, 'images', IMAGE, 'current');
  const manifest = readFileSync(join(release, 'manifest.json'));
  writeFileSync(join(release, 'manifest.json.sig'), signBytes(key, manifest, 'strange'));
  return { state, config };
}

describe('stage-1 refuses', () => {
  it('a manifest that another key has signed', async (t) => {
    await withLab({ ...options(), ...strangeServer(t) }, async (lab: Lab) => {
      const machine = await startStage1(lab, 0, REBOOT);
      await machine.expect(/^swarmboot: phase manifest: end failed .*another key.*\n/m, {
        timeoutMs: BOOT_MS,
      });
      const { match } = await machine.expect(/^swarmboot: error (\S+): (.*)\n/m, { timeoutMs: 30_000 });
      assert.equal(match[1], 'signature-untrusted');
      assert.match(match[2]!, /another key/);
      await expectReboot(machine);
    });
  });

  it('to hang when the server is gone and nobody has the image', async () => {
    // 40 Mbit/s: slow enough that the server can go away in the middle.
    await withLab({ ...options(), linkBitsPerSecond: 40_000_000 }, async (lab: Lab) => {
      const machine = await startStage1(lab, 0, `${REBOOT} swarmboot.retry-timeout=20`);
      const { match } = await machine.expect(/^swarmboot: progress ([1-9]\d?\.\d)% /m, {
        timeoutMs: BOOT_MS,
      });
      await lab.server.stopHttp();
      assert.ok(Number(match[1]) < 100, 'the server went away in the middle');
      const { match: error } = await machine.expect(/^swarmboot: error (\S+): (.*)\n/m, {
        timeoutMs: 90_000,
      });
      assert.match(error[0], /peer|server|source|progress/i, 'it says what is missing');
      await expectReboot(machine);
    });
  });
});
