/** The hashing thread says what `checkPiece` says, also when it is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPiece } from '../../../torrent/piece-check.ts';
import { HashThread } from '../../../torrent/swarm/hash-thread.ts';
import { makeContent } from '../swarm-fixtures.ts';

const shared = (bytes: Uint8Array): Buffer => {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
};

/** Longer pieces than are ever hashed without a thread. */
const LONG = 2 ** 19;

test('every piece, right and altered, as checkPiece judges it', async (t) => {
  const { metainfo, bytes } = await makeContent(3 * LONG + 777, LONG);
  const thread = new HashThread(metainfo, () => performance.now());
  t.after(() => thread.close());
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
  const thread = new HashThread(metainfo, () => performance.now());
  const checks = Array.from({ length: 20 }, () =>
    thread.check(0, shared(bytes.subarray(0, metainfo.pieceLength))),
  );
  thread.close();
  assert.deepEqual(new Set(await Promise.all(checks)), new Set(['ok']));
});

test('pieces that come slowly, or a few at once, need no thread; one is there once they come fast', async (t) => {
  const { metainfo, bytes } = await makeContent(65_536);
  let now = 0;
  const thread = new HashThread(metainfo, () => now);
  t.after(() => thread.close());
  const right = shared(bytes.subarray(0, metainfo.pieceLength));
  const altered = shared(right);
  altered[0]! ^= 1;
  /** Checks `bytesInAll` of pieces, one every `pauseMs`. */
  const checkMany = async (bytesInAll: number, pauseMs: number): Promise<void> => {
    for (let checked = 0; checked < bytesInAll; checked += 2 * right.length) {
      now += 2 * pauseMs;
      assert.equal(await thread.check(0, right), 'ok');
      assert.equal(await thread.check(0, altered), 'bad');
    }
  };
  const slowly = (2 * right.length * 1000) / (16 * 2 ** 20);
  await checkMany(8 * 2 ** 20, slowly);
  assert.equal(thread.isRunning, false, 'slowly');
  await checkMany(2 * 2 ** 20, 0);
  assert.equal(thread.isRunning, false, 'a few at once');
  await checkMany(4 * 2 ** 20, 0);
  assert.equal(thread.isRunning, true, 'fast');
});
