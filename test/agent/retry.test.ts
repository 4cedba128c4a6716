import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootError, type Retriable } from '../../agent/boot-error.ts';
import { backoffMs, retry } from '../../agent/retry.ts';
import { fakeMachine } from './fakes.ts';

const backoff = { firstMs: 500, maximumMs: 8000 };

test('waits double up to the maximum, spread by a quarter', () => {
  assert.deepEqual(
    [1, 2, 3, 5, 6, 60].map((attempt) => backoffMs(backoff, attempt, 0.5)),
    [500, 1000, 2000, 8000, 8000, 8000],
  );
  assert.deepEqual([backoffMs(backoff, 1, 0), backoffMs(backoff, 1, 1)], [375, 625]);
});

for (const [retriable, attempts] of [
  ['no', 1],
  ['brief', 4],
  ['yes', 9],
] as const satisfies readonly (readonly [Retriable, number])[]) {
  test(`a failure that is "${retriable}" is tried ${attempts} times in 40 s`, async (context) => {
    const machine = fakeMachine(context);
    let tries = 0;
    const told: number[] = [];
    const failing = retry(
      machine,
      { backoff, untilMs: 40_000, signal: new AbortController().signal, onFailure: (_, ms) => told.push(ms) },
      async () => {
        tries++;
        throw new BootError('x', 'no', { retriable });
      },
    );
    await assert.rejects(failing, { code: 'x' });
    assert.equal(tries, attempts);
    assert.equal(told.length, attempts - 1);
    assert.ok(machine.now() <= 40_000);
  });
}

test('an abort ends the wait with its reason', async (context) => {
  const machine = fakeMachine(context);
  const controller = new AbortController();
  const reason = new Error('stop');
  void machine.sleep(100).then(() => controller.abort(reason));
  const failing = retry(
    machine,
    { backoff, untilMs: 40_000, signal: controller.signal, onFailure: () => {} },
    async () => Promise.reject(new BootError('x', 'no')),
  );
  await assert.rejects(failing, reason);
});
