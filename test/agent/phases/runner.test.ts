import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootError } from '../../../agent/boot-error.ts';
import { runPhase } from '../../../agent/phases/runner.ts';
import { fakes } from '../fakes.ts';

test('a phase prints and sends one start and one end', async (context) => {
  const around = fakes(context);
  const value = await runPhase(around, 'memory', 10_000, async ({ machine }) => {
    await machine.sleep(1234);
    return { value: 42, detail: 'pmem' };
  });
  assert.equal(value, 42);
  assert.deepEqual(around.console.lines, [
    'swarmboot: phase memory: start',
    'swarmboot: phase memory: end ok 1.234s pmem',
  ]);
  assert.deepEqual(around.telemetry.sent, [
    { event: 'phase-start', phase: 'memory' },
    { event: 'phase-end', phase: 'memory', ok: true, seconds: 1.234, detail: 'pmem' },
  ]);
});

test('a failure keeps its code and says why', async (context) => {
  const around = fakes(context);
  const failing = runPhase(around, 'memory', 10_000, async () => {
    throw new BootError('too-little-memory', 'needs 646 MiB, 300 MiB is available');
  });
  await assert.rejects(failing, { code: 'too-little-memory' });
  assert.equal(
    around.console.lines.at(-1),
    'swarmboot: phase memory: end failed 0.000s needs 646 MiB, 300 MiB is available',
  );
});

test('what nobody foresaw is an internal failure', async (context) => {
  const failing = runPhase(fakes(context), 'memory', 10_000, async () => {
    throw new TypeError('x is undefined');
  });
  await assert.rejects(failing, { code: 'internal', message: 'x is undefined' });
});

test('a body that hangs and overlooks its signal ends at the deadline, with notes on the way', async (context) => {
  const around = fakes(context);
  let aborted = false;
  const hanging = runPhase(around, 'network', 35_000, async ({ signal, awaiting, machine }) => {
    signal.addEventListener('abort', () => (aborted = true));
    await machine.sleep(2000);
    awaiting('carrier on eth0');
    return new Promise<never>(() => {});
  });
  await assert.rejects(hanging, {
    code: 'deadline',
    message: 'Phase network took longer than 35 s: waiting for carrier on eth0, for 33 s so far',
  });
  assert.equal(aborted, true);
  assert.deepEqual(
    around.console.lines.filter((line) => line.includes('note')),
    [
      'swarmboot: note network: waiting for carrier on eth0, for 18 s so far',
      'swarmboot: note network: waiting for carrier on eth0, for 28 s so far',
      'swarmboot: note network: waiting for carrier on eth0, for 33 s so far',
    ],
  );
});
