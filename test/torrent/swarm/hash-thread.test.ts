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

/** A clock by which everything comes at once. */
const IN_A_HURRY = (): number => 0;

test('every piece, right and altered, as checkPiece judges it', async (t) => {
  const { metainfo, bytes } = await makeContent(3 * 65_536 + 777);
  const thread = new HashThread(metainfo, IN_A_HURRY);
  t.after(() => thread.close());
  const gone = new HashThread(metainfo, IN_A_HURRY);
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
  const { metainfo, bytes } = await makeContent(65_536);
  const thread = new HashThread(metainfo, IN_A_HURRY);
  const checks = Array.from({ length: 20 }, () =>
    thread.check(0, shared(bytes.subarray(0, metainfo.pieceLength))),
  );
  thread.close();
  assert.deepEqual(new Set(await Promise.all(checks)), new Set(['ok']));
});

test('small pieces that come slowly need no thread, and one is there once they come fast', async (t) => {
  const { metainfo, bytes } = await makeContent(65_536);
  let now = 0;
  const thread = new HashThread(metainfo, () => now);
  t.after(() => thread.close());
  const right = shared(bytes.subarray(0, metainfo.pieceLength));
  const altered = shared(right);
  altered[0]! ^= 1;
  const checkBothAfter = async (pauseMs: number): Promise<void> => {
    now += pauseMs;
    assert.equal(await thread.check(0, right), 'ok');
    now += pauseMs;
    assert.equal(await thread.check(0, altered), 'bad');
  };
  await checkBothAfter(20);
  assert.equal(thread.isRunning, false);
  await checkBothAfter(1);
  assert.equal(thread.isRunning, true);
});
