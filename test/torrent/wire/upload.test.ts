/** Upload queue and piece cache together, with a store that the test controls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PieceCache } from '../../../torrent/wire/piece-cache.ts';
import { UploadQueue, type UploadRequest, type UploadTarget } from '../../../torrent/wire/upload-queue.ts';
import { until } from '../swarm-fixtures.ts';

const PIECE = 65_536;

class Target implements UploadTarget {
  pendingBytes = 0;
  readonly sent: { request: UploadRequest; bytes: Buffer; done: () => void }[] = [];
  readonly refused: UploadRequest[] = [];
  /** Whether a block leaves at once. */
  instant = true;
  sendBlock(request: UploadRequest, bytes: Uint8Array, done: () => void): void {
    this.sent.push({ request, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), done });
    if (this.instant) done();
  }
  refuse(request: UploadRequest): void {
    this.refused.push(request);
  }
}

function lab(
  options: {
    most?: number;
    bytesPerSecond?: number;
    read?: (piece: number, target: Buffer) => Promise<void>;
  } = {},
) {
  const reads: number[] = [];
  const cache = new PieceCache({
    pieceLength: PIECE,
    lengthOf: () => PIECE,
    most: options.most ?? 2,
    read:
      options.read ??
      (async (piece, target) => {
        reads.push(piece);
        target.fill(piece);
      }),
  });
  const queue = new UploadQueue({
    cache,
    bytesPerSecond: options.bytesPerSecond ?? 0,
    now: () => performance.now(),
    onSent: () => {},
  });
  return { cache, queue, reads };
}
const block = (piece: number, index = 0): UploadRequest => ({ piece, begin: index * 16_384, length: 16_384 });

test('a piece that was kept need not be read, and is a copy', async () => {
  const { cache, queue, reads } = lab();
  const target = new Target();
  const landed = Buffer.alloc(PIECE, 5);
  cache.keep(5, landed);
  landed.fill(0);
  queue.push(target, block(5, 1));
  await until(() => target.sent.length === 1, 'the block');
  assert.deepEqual(reads, []);
  assert.ok(target.sent[0]?.bytes.every((byte) => byte === 5));
});

test('what is kept takes no buffer that a socket looks at', async () => {
  const { cache, queue } = lab({ most: 4 });
  const target = new Target();
  target.instant = false;
  for (const piece of [1, 2]) cache.keep(piece, Buffer.alloc(PIECE, piece));
  for (const piece of [1, 2]) queue.push(target, block(piece));
  await until(() => target.sent.length === 2, 'both blocks');
  for (let piece = 10; piece < 20; piece++) cache.keep(piece, Buffer.alloc(PIECE, piece));
  assert.ok(cache.has(1) && cache.has(2));
  assert.equal([10, 11, 12, 13, 14, 15, 16, 17, 18, 19].filter((piece) => cache.has(piece)).length, 2);
});

test('each piece is read once for all its blocks', async () => {
  const { queue, reads } = lab();
  const target = new Target();
  for (let index = 0; index < 4; index++) queue.push(target, block(3, index));
  await until(() => target.sent.length === 4, 'all blocks');
  assert.deepEqual(reads, [3]);
  for (const { bytes } of target.sent) assert.ok(bytes.every((byte) => byte === 3));
});

test('a piece that went out whole makes room before one that did not, unless it was kept for several', async () => {
  const { cache, queue, reads } = lab({ most: 4 });
  cache.keep(9, Buffer.alloc(PIECE, 9));
  const target = new Target();
  const whole = async (piece: number): Promise<void> => {
    const before = target.sent.length;
    for (let index = 0; index < 4; index++) queue.push(target, block(piece, index));
    await until(() => target.sent.length === before + 4, `piece ${piece}`);
  };
  await whole(9);
  queue.push(target, block(1));
  await until(() => target.sent.length === 5, 'a part of piece 1');
  for (let piece = 2; piece < 8; piece++) await whole(piece);
  assert.deepEqual(reads, [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(
    [9, 1, 2, 3, 4, 5, 6, 7].filter((piece) => cache.has(piece)),
    [9, 1, 7],
  );
});

test('a buffer that a socket still holds is not used for another piece', async () => {
  const { queue, reads } = lab({ most: 3 });
  const slow = new Target();
  slow.instant = false;
  queue.push(slow, block(1));
  await until(() => slow.sent.length === 1, 'the first block');
  const other = new Target();
  for (let piece = 2; piece < 8; piece++) queue.push(other, block(piece));
  await until(() => other.sent.length === 6, 'the other pieces');
  assert.deepEqual(reads, [1, 2, 3, 4, 5, 6, 7]);
  assert.ok(slow.sent[0]!.bytes.every((byte) => byte === 1));
  queue.push(slow, block(1, 1));
  await until(() => slow.sent.length === 2, 'the next block of the piece');
  assert.deepEqual(reads, [1, 2, 3, 4, 5, 6, 7], 'which was never read again');
});

test('sockets that take nothing never hold the last buffers', async () => {
  const { queue, cache } = lab({ most: 3 });
  const deaf = Array.from({ length: 5 }, () => new Target());
  for (const [index, target] of deaf.entries()) {
    target.instant = false;
    for (let piece = 0; piece < 4; piece++) queue.push(target, block(10 * index + piece));
  }
  await until(() => deaf.every(({ sent }) => sent.length === 4), 'all have their blocks');
  for (const [index, { sent }] of deaf.entries()) {
    for (const [piece, { bytes }] of sent.entries())
      assert.ok(
        bytes.every((byte) => byte === 10 * index + piece),
        'what they hold does not change',
      );
  }
  for (const { sent } of deaf) for (const { done } of sent) done();
  assert.equal(await cache.load(200), true);
  assert.equal(cache.lend(200, 0, 5)?.bytes.length, 5);
});

test('a peer that does not read gets nothing more, and others do', async () => {
  const { queue } = lab();
  const full = new Target();
  full.pendingBytes = 10e6;
  const other = new Target();
  queue.push(full, block(1));
  queue.push(other, block(1));
  await until(() => other.sent.length === 1, 'the other is served');
  assert.equal(full.sent.length, 0);
  full.pendingBytes = 0;
  queue.drained();
  await until(() => full.sent.length === 1, 'served after draining');
});

test('cancelled and dropped requests are not answered', async () => {
  const { queue } = lab();
  const target = new Target();
  queue.push(target, block(1, 0));
  queue.push(target, block(1, 1));
  assert.ok(queue.cancel(target, block(1, 0)));
  assert.ok(!queue.cancel(target, block(1, 3)));
  await until(() => target.sent.length === 1, 'the one that is left');
  assert.deepEqual(target.sent[0]!.request, block(1, 1));
  queue.push(target, block(1, 2));
  queue.drop(target);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(target.sent.length, 1);
});

test('a store that fails refuses the request', async () => {
  let failed = 0;
  const { queue } = lab({
    read: async () => {
      failed++;
      throw new Error('gone');
    },
  });
  const target = new Target();
  queue.push(target, block(1));
  await until(() => target.refused.length === 1, 'refused');
  assert.equal(failed, 1);
});

test('peers share a limited rate block by block', async () => {
  const { queue } = lab({ bytesPerSecond: 3e6 });
  const [a, b] = [new Target(), new Target()];
  for (let round = 0; round < 8; round++) {
    for (let index = 0; index < 4; index++) {
      queue.push(a, block(1, index));
      queue.push(b, block(2, index));
    }
  }
  await until(() => a.sent.length + b.sent.length >= 30, 'some went out');
  assert.ok(Math.abs(a.sent.length - b.sent.length) <= 2, `${a.sent.length} and ${b.sent.length}`);
  queue.close();
});
