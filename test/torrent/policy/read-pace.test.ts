import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REST_MS, ReadPace } from '../../../torrent/policy/read-pace.ts';

const KIB = 1024;
const MUCH = 2048 * KIB;
/** So many bytes come in each ms at 1 Gbit/s. */
const GIGABIT = 118_000;

/** What `next` says of a connection whose reads, one after another, take all that came meanwhile at `bytesPerMs`. */
function paceAt(bytesPerMs: number, reads: number): Map<string, number> {
  const pace = new ReadPace();
  const said = new Map<string, number>();
  let now = 1000;
  let waitedMs = 0.2;
  for (let read = 0; read < reads; read++) {
    now += waitedMs;
    const bytes = Math.min(Math.round(waitedMs * bytesPerMs), 1024 * KIB);
    const next = pace.next({ bytes, missingBytes: 0, requestedBytes: MUCH }, now);
    said.set(next, (said.get(next) ?? 0) + 1);
    waitedMs = next === 'now' ? 0.2 : REST_MS[next];
  }
  return said;
}

test('at 1 Gbit/s nearly every read is followed by a rest', () => {
  const said = paceAt(GIGABIT, 200);
  assert((said.get('soon') ?? 0) > 190, JSON.stringify([...said]));
});

test('a connection whose rest would bring more than a read takes does not rest', () => {
  const said = paceAt(5 * GIGABIT, 200);
  assert((said.get('soon') ?? 0) <= 1, JSON.stringify([...said]));
});

test('nobody rests who may run out of requests', () => {
  const read = { bytes: 100 * KIB, missingBytes: 0, requestedBytes: 1024 * KIB };
  assert.equal(new ReadPace().next(read, 1000), 'now');
});

test('a trickle in the middle of a block is gathered for longer, its end is taken at once', () => {
  const read = { bytes: 5 * KIB, missingBytes: 9 * KIB, requestedBytes: 64 * KIB };
  assert.equal(new ReadPace().next(read, 1000), 'later');
  assert.equal(new ReadPace().next({ ...read, missingBytes: 2 * KIB }, 1000), 'now');
  assert.equal(new ReadPace().next({ ...read, bytes: 40 * KIB, missingBytes: 90 * KIB }, 1000), 'now');
});
