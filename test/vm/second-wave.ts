/** Machines that boot while the server gives, and machines that boot when only the first ones give. */
import assert from 'node:assert/strict';
import { bootToLogin } from '../../qemu/boot-to-login.ts';
import type { Lab } from '../../qemu/lab.ts';
import type { Machine } from '../../qemu/machine.ts';
import type { Status } from '../../qemu/status.ts';
import { type Gap, imageFacts, tellGap, watchGiving } from './giving-gap.ts';
import { CREDENTIALS, startStage1 } from './prepare.ts';
import { pause, until } from './until.ts';

export interface Waves {
  /** Machines that boot first, so many at a time, and machines that boot from them, all at once. */
  readonly first: number;
  readonly atOnce: number;
  readonly second: number;
  readonly loginTimeoutMs: number;
}

const SEEDING_TIMEOUT_MS = 240_000;
/** Of a shell, on a processor that runs several machines. */
const CONSOLE_TIMEOUT_MS = 240_000;
/** Reports come every five seconds. */
const REPORT_MS = 6000;

/** Every machine of `macs` says that it seeds everything. */
export const allSeed = (lab: Lab, macs: readonly string[]): Promise<Status> =>
  until(`${macs.join(', ')} seed the whole image`, SEEDING_TIMEOUT_MS, async () => {
    const status = await lab.status();
    const seeding = macs.map((mac) => status.machines.find((machine) => machine.mac === mac)?.seeding);
    return seeding.every((state) => state && state.pieceCount > 0 && state.pieces === state.pieceCount)
      ? status
      : undefined;
  });

/** What `swarmboot-seed status` says to somebody who is logged in, and what the service takes. */
async function statusOnConsole(machine: Machine): Promise<string> {
  const figures = [
    'NRestarts',
    'MemoryCurrent',
    'MemoryPeak',
    'CPUUsageNSec',
    'ExecMainStartTimestampMonotonic',
  ];
  const show = `systemctl show swarmboot-seed -p ${figures.join(' -p ')}`;
  machine.send(
    `swarmboot-seed status; ${show}; cat /proc/uptime; head -3 /proc/meminfo; t=swb; echo "$t-told="\r`,
  );
  const { match } = await machine.expect(/^seeding {2}[\s\S]*^swb-told=/m, { timeoutMs: CONSOLE_TIMEOUT_MS });
  assert.match(match[0], /^damaged {2}none/m);
  assert.match(match[0], /^NRestarts=0$/m, 'its first start was the good one');
  return match[0].replace(/^swb-told=/m, '').trim();
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export async function bootInWaves(lab: Lab, waves: Waves): Promise<void> {
  const { imageBytes, kernelRelease } = imageFacts();
  const boot = async (index: number, more: string) => {
    const machine = await startStage1(lab, index, more);
    const outcome = bootToLogin(machine, {
      ...{ credentials: CREDENTIALS, timeoutMs: waves.loginTimeoutMs, kernelRelease },
    });
    return { machine, outcome };
  };
  const macs: string[] = [];
  let watched: Machine | undefined;
  let gap: Gap | undefined;
  for (let begun = 0; begun < waves.first; begun += waves.atOnce) {
    const group = Array.from({ length: Math.min(waves.atOnce, waves.first - begun) }, (_, n) => begun + n);
    await Promise.all(
      group.map(async (index) => {
        // The first is watched: it lingers, so that it gives until the very end of stage-1.
        const { machine, outcome } = await boot(index, index === 0 ? 'swarmboot.linger=12' : '');
        const watch = index === 0 ? await watchGiving(lab, machine) : undefined;
        const { ok, failure, timeline, facts } = await outcome;
        assert.ok(ok, `${machine.name}: ${failure}`);
        assert.equal(timeline.handoff, 'pmem');
        assert.equal(facts?.squashfsSource, '/dev/pmem0');
        macs.push(machine.mac);
        if (!watch) return;
        watched = machine;
        gap = await watch.gap(timeline);
      }),
    );
  }
  assert.ok(gap);
  console.log(tellGap(gap));
  await allSeed(lab, macs);
  assert.ok(watched);
  console.log(await statusOnConsole(watched));

  // From here on the server gives no byte of an image: its counters begin at 0 and must stay there.
  await lab.server.stopHttp();
  await lab.server.startHttp(['--no-seed']);
  const before = await allSeed(lab, macs);
  const given = (status: Status): number =>
    sum(status.machines.filter(({ mac }) => macs.includes(mac)).map(({ seeding }) => seeding?.uploaded ?? 0));
  const second = await Promise.all(Array.from({ length: waves.second }, (_, n) => boot(waves.first + n, '')));
  const outcomes = await Promise.all(second.map(({ outcome }) => outcome));
  for (const { name, ok, failure } of outcomes) assert.ok(ok, `${name}: ${failure}`);
  await pause(REPORT_MS);
  const status = await lab.status();
  assert.equal(status.server.payloadBytes, 0, 'the server gave nothing of the image');
  const late = status.machines.filter(({ mac }) => second.some(({ machine }) => machine.mac === mac));
  assert.equal(late.length, waves.second);
  for (const { mac, downloaded, hashFailures } of late) {
    const { peers, seeder, webseed } = downloaded;
    assert.deepEqual([seeder, webseed], [0, 0], `${mac} got something from the server`);
    assert.ok(peers >= imageBytes, `${mac} tells of ${peers} bytes, less than the image`);
    assert.equal(hashFailures, 0);
  }
  const booted = given(status) - given(before);
  const exchanged = sum(late.map(({ uploaded }) => uploaded));
  const received = sum(late.map(({ downloaded }) => downloaded.peers));
  console.log(
    `Second wave: ${received} bytes received, ${booted} of them from machines that run the real system, ` +
      `${exchanged} exchanged among themselves, 0 from the server`,
  );
  assert.ok(booted >= imageBytes, 'a whole image came from the real systems');
  // What is on the way when a connection ends counts with the sender only.
  assert.ok(booted + exchanged >= received, 'what they received is what these machines gave');
}
