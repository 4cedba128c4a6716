/**
 * The SHA-256 hash trees of BEP 52: leaves are 16 KiB blocks of one file, each file has its own tree.
 *
 * A short last block is hashed as it is. Leaves that are missing to the next power of two are 32 zero bytes (zero
 * *hashes*, not hashes of zeros); an inner node is SHA-256 of its two children.
 */
import { hash } from 'node:crypto';

/** Block size of BEP 52 trees, in bytes. */
export const MERKLE_BLOCK = 16384;
/** Size of a SHA-256, in bytes. */
export const SHA256_BYTES = 32;

/** Smallest power of two that is >= `count` (1 for 0). */
export const powerOfTwoAtLeast = (count: number): number =>
  count <= 1 ? 1 : 2 ** (32 - Math.clz32(count - 1));

/**
 * The node that stands for a subtree of `width` missing leaves; `width` is a power of two. A piece layer is padded with
 * the node of width pieceLength / 16 KiB.
 */
export function paddingNode(width: number): Buffer {
  let node: Buffer = Buffer.alloc(SHA256_BYTES);
  for (let reached = 1; reached < width; reached *= 2)
    node = hash('sha256', Buffer.concat([node, node]), 'buffer');
  return node;
}

/** As a binary string, a hash costs a third of what it costs as a buffer of its own. */
function putHash(nodes: Buffer, at: number, bytes: Uint8Array): void {
  nodes.write(hash('sha256', bytes, 'binary'), at, 'latin1');
}

/**
 * Root over `count` nodes that lie one behind another in `nodes`, padded on the right with `padding` to `width` (a power
 * of two >= count). `nodes` is used as scratch space and is overwritten.
 */
export function merkleRootInPlace(nodes: Buffer, count: number, width: number, padding: Buffer): Buffer {
  if (count === 0) return widen(padding, width);
  let pad = padding;
  let present = count;
  for (let level = width; level > 1; level /= 2) {
    const parents = Math.ceil(present / 2);
    for (let parent = 0; parent < parents; parent++) {
      const at = parent * 2 * SHA256_BYTES;
      const pair =
        parent * 2 + 1 < present
          ? nodes.subarray(at, at + 2 * SHA256_BYTES)
          : Buffer.concat([nodes.subarray(at, at + SHA256_BYTES), pad]);
      putHash(nodes, parent * SHA256_BYTES, pair);
    }
    if (present < level) pad = hash('sha256', Buffer.concat([pad, pad]), 'buffer');
    present = parents;
  }
  return Buffer.from(nodes.subarray(0, SHA256_BYTES));
}

function widen(node: Buffer, width: number): Buffer {
  let result = node;
  for (let reached = 1; reached < width; reached *= 2) {
    result = hash('sha256', Buffer.concat([result, result]), 'buffer');
  }
  return result;
}

/** Root over a layer of nodes (`layer.length` is a multiple of 32); `layer` stays as it is. */
export function merkleRoot(layer: Uint8Array, padding: Buffer): Buffer {
  const count = layer.length / SHA256_BYTES;
  return merkleRootInPlace(Buffer.from(layer), count, powerOfTwoAtLeast(count), padding);
}

/**
 * Root over `bytes` cut into 16 KiB blocks, padded to `width` leaves (a power of two). `scratch` holds the leaves and
 * must have room for 32 bytes per block; it saves an allocation per piece.
 */
export function merkleRootOfBytes(bytes: Uint8Array, width: number, scratch: Buffer): Buffer {
  const count = Math.ceil(bytes.length / MERKLE_BLOCK);
  for (let leaf = 0; leaf < count; leaf++) {
    const block = bytes.subarray(leaf * MERKLE_BLOCK, (leaf + 1) * MERKLE_BLOCK);
    putHash(scratch, leaf * SHA256_BYTES, block);
  }
  return merkleRootInPlace(scratch, count, width, ZERO_LEAF);
}

const ZERO_LEAF = Buffer.alloc(SHA256_BYTES);
