import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventQueue } from '../../../bench/sim/event-queue.ts';

test('events fire in the order of their times, and of their scheduling at the same time', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (times) => {
      const events = new EventQueue();
      const fired: { time: number; order: number }[] = [];
      times.forEach((time, order) => {
        events.at(time, { fire: (now) => fired.push({ time: now, order }) });
      });
      while (events.step());
      const expected = times
        .map((time, order) => ({ time, order }))
        .sort((a, b) => a.time - b.time || a.order - b.order);
      assert.deepEqual(fired, expected);
      assert.equal(events.size, 0);
    }),
  );
});

test('what an event schedules fires too, never in the past', () => {
  const events = new EventQueue();
  const times: number[] = [];
  events.at(10, {
    fire: () => {
      events.after(5, { fire: (now) => times.push(now) });
      events.at(3, { fire: (now) => times.push(now) });
    },
  });
  while (events.step());
  assert.deepEqual(times, [10, 15]);
});
