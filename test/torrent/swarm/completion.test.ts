/** Complete, failed or not waited for any longer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Completion } from '../../../torrent/swarm/completion.ts';

test('whoever waits hears of it, before and after', async () => {
  const completion = new Completion();
  const before = completion.wait();
  completion.resolve();
  await before;
  await completion.wait();
  completion.reject(new Error('too late'));
  await completion.wait(AbortSignal.timeout(60_000));
});

test('a failure that nobody waits for is no unhandled rejection; who waits gets it', async () => {
  const completion = new Completion();
  const reason = new Error('the disk is full');
  completion.reject(reason);
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(completion.wait(), reason);
});

test('a signal ends the waiting of those who gave it, and of nobody else', async () => {
  const completion = new Completion();
  const controller = new AbortController();
  const impatient = completion.wait(controller.signal);
  const patient = completion.wait();
  controller.abort(new Error('enough'));
  await assert.rejects(impatient, /enough/);
  await assert.rejects(completion.wait(controller.signal), /enough/);
  completion.resolve();
  await patient;
});
