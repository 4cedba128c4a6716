import assert from 'node:assert/strict';
import { it } from 'node:test';
import { timelineOf } from '../../qemu/timeline.ts';

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [, seconds, rest] = /^\s*(\S+) (.*)$/.exec(line)!;
      return { seconds: Number(seconds), text: rest! };
    });

const WHOLE = `
  0.5 SeaBIOS (version 1.16.2)
  3 iPXE initialising devices...ok
  5 Linux version 6.12.1
  9 swarmboot: phase network: start
  10 swarmboot: phase network: end ok 1.000s 10.77.0.50
  10 swarmboot: phase swarm: start
  20 swarmboot: phase swarm: end ok 10.000s 100 MiB
  20 swarmboot: phase handoff: start
  22 swarmboot: phase handoff: end ok 2.000s pmem, kernel 6.12.1
  25 Linux version 6.12.1
  40 debian login: `;

it('sums up a whole boot', () => {
  assert.deepEqual(timelineOf(lines(WHOLE), 40), {
    phases: { firmware: 3, ipxe: 2, kernel: 4, network: 1, swarm: 10, handoff: 2, system: 18 },
    handoff: 'pmem',
    unfinished: undefined,
  });
});

it('names the phase in which a boot got stuck, and adds up its tries', () => {
  const stuck = `
    1 swarmboot: phase manifest: start
    2 swarmboot: phase manifest: end failed 1.000s no route
    3 swarmboot: phase manifest: start
    5 swarmboot: phase manifest: end failed 2.000s no route`;
  assert.deepEqual(timelineOf(lines(stuck)), {
    phases: { firmware: 1, manifest: 3 },
    handoff: undefined,
    unfinished: 'manifest',
  });
});

it('has no time for the real system without its login', () => {
  assert.equal(timelineOf(lines(WHOLE)).phases.system, undefined);
});
