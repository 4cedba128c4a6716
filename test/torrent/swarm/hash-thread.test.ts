/** The hashing thread says what `checkPiece` says, also when it is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkPiece } from '../../../torrent/piece-check.ts';
import { HashThread } from '../../../torrent/swarm/hash-thread.ts';
import { makeContent } from '../swarm-fixtures.ts';

const shared = (bytes: Uint8Array): Buffer => {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
};

const LONG = 2 ** 19;

/** A clock for which every hash takes longer than a loop has time for. */
function overworked(): () => number {
  let now = 0;
  return () => (now += 100);
}

/** Checks `piece` until a thread does it. */
async function startThread(thread: HashThread, bytes: Buffer): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!thread.isRunning) {
    assert.ok(performance.now() < deadline, 'no thread after 20 s');
    assert.equal(await thread.check(0, bytes), 'ok', 'nobody waits for the thread');
    await sleep(1);
  }
}

test('every piece, right and altered, as checkPiece judges it', async (t) => {
  const { metainfo, bytes } = await makeContent(3 * LONG + 777, LONG);
  const thread = new HashThread(metainfo, overworked());
  t.after(() => thread.close());
  await startThread(thread, shared(bytes.subarray(0, metainfo.pieceLength)));
  const gone = new HashThread(metainfo, () => performance.now());
  gone.close();
  for (let piece = 0; piece < metainfo.pieceCount; piece++) {
    const right = shared(bytes.subarray(piece * metainfo.pieceLength, (piece + 1) * metainfo.pieceLength));
    const altered = shared(right);
    altered[altered.length - 1]! ^= 1;
    for (const [candidate, expected] of [
      [right, 'ok'],
      [altered, 'bad'],
      [right.subarray(0, right.length - 1), 'bad'],
    ] as const) {
      assert.equal(checkPiece(metainfo, piece, candidate), expected);
      assert.equal(await thread.check(piece, candidate), expected);
      assert.equal(await gone.check(piece, candidate), expected);
      assert.equal(await thread.check(piece, Buffer.from(candidate)), expected, 'not in shared memory');
    }
  }
});

test('a check under way when the thread ends is finished here', async () => {
  const { metainfo, bytes } = await makeContent(LONG, LONG);
  const thread = new HashThread(metainfo, overworked());
  await startThread(thread, shared(bytes.subarray(0, metainfo.pieceLength)));
  const checks = Array.from({ length: 20 }, () =>
    thread.check(0, shared(bytes.subarray(0, metainfo.pieceLength))),
  );
  thread.close();
  assert.deepEqual(new Set(await Promise.all(checks)), new Set(['ok']));
});

test('hashes that leave the loop most of its time need no thread, nor do some at once; one is there once they do not', async (t) => {
  const { metainfo, bytes } = await makeContent(65_536);
  let now = 0;
  let asked = -1; // once when it is made
  // Three times for each check: is there time, then before and after the hash, which takes eight tenths.
  const thread = new HashThread(metainfo, () => (now += asked++ % 3 === 2 ? 8 : 1));
  t.after(() => thread.close());
  const right = shared(bytes.subarray(0, metainfo.pieceLength));
  const altered = shared(right);
  altered[0]! ^= 1;
  const checkMany = async (checks: number, pauseMs: number): Promise<void> => {
    for (let done = 0; done < checks; done += 2) {
      now += 2 * pauseMs;
      assert.equal(await thread.check(0, right), 'ok');
      assert.equal(await thread.check(0, altered), 'bad');
    }
    await sleep(500); // a thread that was begun is there
  };
  await checkMany(400, 10);
  assert.equal(thread.isRunning, false, 'four tenths of the time');
  await checkMany(4, 0);
  assert.equal(thread.isRunning, false, 'some at once');
  await checkMany(400, 0);
  const deadline = performance.now() + 20_000;
  while (!thread.isRunning && performance.now() < deadline) await sleep(10);
  assert.equal(thread.isRunning, true, 'eight tenths of the time');
});
