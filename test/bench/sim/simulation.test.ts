/** Small simulated swarms with the real policies. Times are virtual and the same in every run, so they may be asserted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QUIET_LAN, type Scenario } from '../../../bench/sim/scenario.ts';
import { type Outcome, Simulation } from '../../../bench/sim/simulation.ts';

/** 32 MiB in pieces of 128 KiB at 50 Mbit/s: as many pieces as a real image has. */
function simulate(options: Partial<Scenario>): Outcome {
  const outcome = new Simulation({
    ...QUIET_LAN,
    sizeBytes: 32 * 2 ** 20,
    pieceBytes: 128 * 1024,
    ...options,
  }).run();
  assert.ok(outcome.conserved, 'bytes sent = bytes received');
  assert.equal(outcome.stuck, 0, 'nobody is stuck');
  return outcome;
}

test('the same seed gives the same run, another seed another', () => {
  const [a, again, b] = [
    simulate({ machines: 5, seed: 1 }),
    simulate({ machines: 5, seed: 1 }),
    simulate({ machines: 5, seed: 2 }),
  ];
  assert.deepEqual(a, again);
  assert.notDeepEqual(a.seconds, b.seconds);
});

test('one machine alone gets what the server can give', () => {
  const { lastRatio, serverPayloadRatio } = simulate({ machines: 1, startMs: 0, startSpreadMs: 0 });
  assert.ok(lastRatio >= 1 && lastRatio < 1.05, String(lastRatio));
  assert.equal(serverPayloadRatio, 1);
});

test('machines that vanish are done without', () => {
  const { faults, lastRatio } = simulate({ machines: 10, leaveEvery: 0.2, requestTimeoutMs: 2000 });
  assert.ok(faults.left >= 3, `${faults.left} left`);
  assert.ok(lastRatio < 6, String(lastRatio));
});

test('liars are found and banned, mutes are let go, everyone honest finishes', () => {
  const { faults } = simulate({ machines: 12, hostileShare: 0.25, requestTimeoutMs: 1000 });
  assert.ok(faults.refutedPieces > 0 && faults.liarsBanned > 0 && faults.unresponsiveDropped > 0);
});

test('connections that break are made again', () => {
  const { faults } = simulate({ machines: 8, lossesPerMinute: 30 });
  assert.ok(faults.connectionsLost > 5, `${faults.connectionsLost} lost`);
});
