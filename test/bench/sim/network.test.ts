/** The network alone: rates, fair shares, order, losses, and the books. All times are virtual. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue } from '../../../bench/sim/event-queue.ts';
import { Flow, isBalanced, Link, type Message } from '../../../bench/sim/network.ts';

const BLOCK = 16_384;
const MB = 1e6;
const FRAME = 1514 / 1448;

function flow(from: Link, to: Link, received: Message[], windowBytes = 128 * 1024): Flow {
  return new Flow({
    from,
    to,
    delayMs: 0.5,
    windowBytes,
    receive: (message) => received.push(message),
    drained: () => {},
  });
}
const fill = (target: Flow, blocks: number): void => {
  for (let index = 0; index < blocks; index++) target.write({ bytes: BLOCK, payload: BLOCK });
};

test('one flow fills its link', () => {
  const events = new EventQueue();
  const received: Message[] = [];
  const one = flow(new Link(events, MB, MB), new Link(events, MB, MB), received);
  fill(one, 100);
  while (events.step());
  const ideal = (100 * BLOCK * FRAME) / (MB / 1000);
  assert.equal(received.length, 100);
  assert.ok(events.now >= ideal && events.now < ideal * 1.02, `${events.now} ms, ideal ${ideal}`);
  assert.ok(isBalanced(one));
});

test('flows share the link of their sender', () => {
  const events = new EventQueue();
  const [sender, a, b] = [new Link(events, MB, MB), new Link(events, MB, MB), new Link(events, MB, MB)];
  const [toA, toB]: [Message[], Message[]] = [[], []];
  fill(flow(sender, a, toA), 200);
  fill(flow(sender, b, toB), 200);
  while (toA.length + toB.length < 100 && events.step());
  assert.ok(Math.abs(toA.length - toB.length) <= 2, `${toA.length} and ${toB.length}`);
});

test('senders share the link of their receiver, and one that waits there serves others meanwhile', () => {
  const events = new EventQueue();
  const [s1, s2, jammed, free] = Array.from({ length: 4 }, () => new Link(events, MB, MB)) as [
    Link,
    Link,
    Link,
    Link,
  ];
  const [from1, from2, other]: [Message[], Message[], Message[]] = [[], [], []];
  fill(flow(s1, jammed, from1), 400);
  fill(flow(s2, jammed, from2), 400);
  fill(flow(s1, free, other), 400);
  while (events.now < 4000 && events.step());
  assert.ok(Math.abs(from1.length - from2.length) < 0.2 * from1.length, `${from1.length}, ${from2.length}`);
  const blocks = 4000 / ((BLOCK * FRAME) / 1000);
  assert.ok(from1.length + from2.length > 0.9 * blocks, 'the receiving link is full');
  assert.ok(other.length + from1.length > 0.9 * blocks, 'the sending link is full too');
});

test('acknowledgements cost the uplink of the receiver', () => {
  const time = (both: boolean): number => {
    const events = new EventQueue();
    const [a, b] = [new Link(events, MB, MB), new Link(events, MB, MB)];
    const received: Message[] = [];
    fill(flow(a, b, received), 200);
    if (both) fill(flow(b, a, []), 200);
    while (received.length < 200 && events.step());
    return events.now;
  };
  const slowdown = time(true) / time(false);
  assert.ok(slowdown > 1.01 && slowdown < 1.04, String(slowdown));
});

test('what a closed flow or a cut cable holds is lost, and booked as lost', () => {
  const events = new EventQueue();
  const [a, b] = [new Link(events, MB, MB), new Link(events, MB, MB)];
  const received: Message[] = [];
  const one = flow(a, b, received);
  fill(one, 100);
  while (received.length < 10 && events.step());
  one.close();
  const before = received.length;
  while (events.step());
  assert.equal(received.length, before);
  assert.ok(isBalanced(one));
  assert.ok(one.ledger.lost > 0 && one.ledger.delivered === before * BLOCK);

  const dead = flow(a, b, received);
  b.cut = true;
  fill(dead, 100);
  while (events.step());
  assert.equal(received.length, before);
  assert.ok(isBalanced(dead) && dead.ledger.delivered === 0);
});

test('small messages wait behind the blocks written before them', () => {
  const events = new EventQueue();
  const received: Message[] = [];
  const one = flow(new Link(events, MB, MB), new Link(events, MB, MB), received);
  fill(one, 3);
  one.write({ bytes: 9, payload: 0 });
  one.write({ bytes: 9, payload: 0 });
  while (events.step());
  assert.deepEqual(
    received.map(({ bytes }) => bytes),
    [BLOCK, BLOCK, BLOCK, 9, 9],
  );
});
