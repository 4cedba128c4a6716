/** The whole way: BIOS, PXE, iPXE, stage-1, swarm, kexec, and a login on the real system, on two machines at once. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parseManifest } from '../../contract/manifest.ts';
import type { AcceleratorDecision } from '../../qemu/accel.ts';
import { bootToLogin } from '../../qemu/boot-to-login.ts';
import { withLab } from '../../qemu/lab.ts';
import { CONFIG, CREDENTIALS, IMAGE, LOGIN_TIMEOUT_MS, prepare, STATE } from './prepare.ts';

/** About what one emulated machine can take: a server that is faster than all machines would leave the swarm idle. */
const SEED_RATE = String(8 * 1024 ** 2);

describe('two BIOS machines, full DHCP', () => {
  let host: AcceleratorDecision;
  before(async () => {
    host = await prepare();
  });

  it('reach the login of the real system with pieces of each other', async () => {
    const manifest = parseManifest(readFileSync(join(STATE, 'images', IMAGE, 'current/manifest.json')));
    const { kernelRelease } = manifest;
    const options = {
      machines: 2,
      accelerator: host.accelerator,
      state: STATE,
      config: CONFIG,
      image: IMAGE,
    };
    await withLab({ ...options, serverArguments: ['--seed-rate', SEED_RATE] }, async (lab) => {
      const journeys = [0, 1].map((index) =>
        bootToLogin(lab.powerOn(index), {
          credentials: CREDENTIALS,
          timeoutMs: LOGIN_TIMEOUT_MS,
          kernelRelease,
        }),
      );
      const outcomes = await Promise.all(journeys);
      for (const outcome of outcomes) {
        assert.ok(outcome.ok, `${outcome.name}: ${outcome.failure}`);
        assert.equal(outcome.timeline.handoff, 'pmem');
        assert.equal(outcome.facts?.squashfsSource, '/dev/pmem0');
        assert.equal(outcome.facts?.kernelRelease, kernelRelease);
        assert.match(outcome.facts?.cmdline ?? '', /\bboot=swarmboot\b/);
      }
      const { machines, server } = await lab.status();
      const imageBytes = manifest.files.reduce((sum, file) => sum + file.length, 0);
      assert.deepEqual(machines.map(({ mac }) => mac).sort(), outcomes.map(({ mac }) => mac).sort());
      for (const machine of machines) {
        const { peers, seeder, webseed } = machine.downloaded;
        assert.ok(peers > 0, `${machine.mac} got nothing from the other machine`);
        assert.ok(peers + seeder + webseed >= imageBytes, `${machine.mac} tells less than the image`);
        assert.equal(machine.hashFailures, 0);
      }
      assert.ok(
        server.payloadBytes < 2 * imageBytes,
        `the server sent ${server.payloadBytes} bytes: no less than without the swarm`,
      );
      assert.ok(server.stage1Bytes > 0);
    });
  });
});
