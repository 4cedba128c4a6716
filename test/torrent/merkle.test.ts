import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  MERKLE_BLOCK,
  merkleRoot,
  merkleRootOfBytes,
  paddingNode,
  powerOfTwoAtLeast,
} from '../../torrent/merkle.ts';

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** BEP 52 word by word: all leaves in a list, halved until one is left. */
function plainRoot(leaves: readonly Buffer[], width: number): Buffer {
  let layer = [...leaves];
  while (layer.length < width) layer.push(Buffer.alloc(32));
  while (layer.length > 1) {
    layer = Array.from({ length: layer.length / 2 }, (_, index) =>
      sha256(layer[index * 2]!, layer[index * 2 + 1]!),
    );
  }
  return layer[0]!;
}

suite('merkle', () => {
  test('powers of two', () => {
    assert.deepEqual([0, 1, 2, 3, 4, 5, 1000, 2 ** 22 + 1].map(powerOfTwoAtLeast), [
      1,
      1,
      2,
      4,
      4,
      8,
      1024,
      2 ** 23,
    ]);
  });

  test('padding nodes are trees of zero hashes', () => {
    assert.deepEqual(paddingNode(1), Buffer.alloc(32));
    assert.deepEqual(paddingNode(8), plainRoot([], 8));
  });

  test('the root over bytes equals the plain definition, for any length and width', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 * MERKLE_BLOCK }),
        fc.integer({ min: 0, max: 2 }),
        (length, wider) => {
          const bytes = Buffer.alloc(length, length % 251);
          bytes.writeUInt8(7, length - 1);
          const leaves: Buffer[] = [];
          for (let at = 0; at < length; at += MERKLE_BLOCK)
            leaves.push(sha256(bytes.subarray(at, at + MERKLE_BLOCK)));
          const width = powerOfTwoAtLeast(leaves.length) * 2 ** wider;
          const scratch = Buffer.alloc(leaves.length * 32, 0xff);
          assert.deepEqual(merkleRootOfBytes(bytes, width, scratch), plainRoot(leaves, width));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a layer of piece roots leads to the root of all leaves, and is not changed by it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), (count) => {
        const leaves = Array.from({ length: count }, (_, index) => sha256(Buffer.from([index])));
        const layer = Buffer.concat(
          Array.from({ length: Math.ceil(count / 4) }, (_, piece) =>
            plainRoot(leaves.slice(piece * 4, piece * 4 + 4), 4),
          ),
        );
        const before = Buffer.from(layer);
        assert.deepEqual(
          merkleRoot(layer, paddingNode(4)),
          plainRoot(leaves, Math.max(4, powerOfTwoAtLeast(count))),
        );
        assert.deepEqual(layer, before);
      }),
      { numRuns: 60 },
    );
  });
});
