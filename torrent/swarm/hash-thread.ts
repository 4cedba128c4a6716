/**
 * Hashes pieces, where it pays on a thread of their own: on a very fast link the hash of a piece takes as long as receiving
 * it. The bytes are shared, not copied: piece buffers lie in shared memory. As long as hashes leave the loop time for the
 * rest, they are made where the bytes are, still in the processor's cache, and the thread, which takes a third of a second to
 * start, never comes. With SHA instructions they are half of a loop that does nothing but receive.
 *
 * SHA-256 alone where there is one: trust runs over the v2 infohash, and the SHA-1 of a hybrid adds nothing to it. Should
 * it be another one than that of the same bytes, the torrent was made wrong, and clients that know only v1 refuse what
 * the others have, whatever is checked here.
 */
import { Worker } from 'node:worker_threads';
import { MERKLE_BLOCK, merkleRootInPlace, SHA256_BYTES } from '../merkle.ts';
import { type Metainfo, pieceLengthOf } from '../metainfo-model.ts';
import { checkPiece, expectedV2, zeroFrom } from '../piece-check.ts';
import { TokenBucket } from '../policy/token-bucket.ts';

interface Job {
  readonly id: number;
  readonly shared: SharedArrayBuffer;
  readonly length: number;
  /** Bytes from the start that SHA-256 leaves are made of; 0: SHA-1 of all. */
  readonly treeLength: number;
}

interface Digests {
  readonly id: number;
  readonly sha1: Uint8Array | undefined;
  /** 32 bytes per 16 KiB block. */
  readonly leaves: Uint8Array;
}

/**
 * The whole thread. Its text is what runs there, so it may use nothing from outside: that works from a source file and
 * from inside the bundle of the single-file agent alike.
 */
function threadMain(): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const { hash } = process.getBuiltinModule('node:crypto');
  parentPort?.on('message', (job: Job) => {
    const bytes = Buffer.from(job.shared, 0, job.length);
    const leaves = Buffer.alloc(Math.ceil(job.treeLength / 16384) * 32);
    for (let leaf = 0; leaf * 16384 < job.treeLength; leaf++) {
      const block = bytes.subarray(leaf * 16384, Math.min((leaf + 1) * 16384, job.treeLength));
      // As a binary string, a hash costs a third of what it costs as a buffer of its own.
      leaves.write(hash('sha256', block, 'binary'), leaf * 32, 'latin1');
    }
    const sha1 = job.treeLength === 0 ? hash('sha1', bytes, 'buffer') : undefined;
    parentPort.postMessage({ id: job.id, sha1, leaves });
  });
}

/** A piece of up to so many bytes: 2.5 ms of hashing, or 8 where OPENSSL_ia32cap hides the SHA instructions. */
const HASHED_HERE_BYTES = 4 * 2 ** 20;
/** So much of its time may the loop spend on hashes, ... */
const SHARE_OF_TIME = 0.6;
/** ... and so many ms at once: a loop that was held up finds several pieces, and a thread costs more than these. */
const AT_ONCE_MS = 20;
/** TokenBucket counts whole things. */
const TOKENS_PER_MS = 1000;

const ZERO_LEAF = Buffer.alloc(SHA256_BYTES);

export class HashThread {
  readonly #metainfo: Metainfo;
  readonly #waiting = new Map<number, (digests: Digests | undefined) => void>();
  readonly #now: () => number;
  #worker: Worker | undefined;
  /** The thread runs: it takes a third of a second to start, which nobody waits for. */
  #online = false;
  /** A thread can be had, as far as we know. */
  #threads = true;
  #nextId = 1;
  readonly #here: TokenBucket;

  /** `now`: in ms. */
  constructor(metainfo: Metainfo, now: () => number) {
    this.#metainfo = metainfo;
    this.#now = now;
    this.#here = new TokenBucket(SHARE_OF_TIME * 1000 * TOKENS_PER_MS, now(), AT_ONCE_MS * TOKENS_PER_MS);
  }

  /** Whether there is a thread that answers (yet). */
  get isRunning(): boolean {
    return this.#online;
  }

  #start(): void {
    try {
      this.#worker = new Worker(`(${threadMain.toString()})()`, {
        eval: true,
        name: 'hash',
        // The default reserves more for its heap than the whole download needs.
        resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32, stackSizeMb: 1 },
        stdin: false,
        execArgv: [],
      });
    } catch {
      this.#threads = false;
      return;
    }
    this.#worker.on('online', () => {
      this.#online = true;
    });
    this.#worker.on('message', (digests: Digests) => this.#settle(digests.id, digests));
    this.#worker.on('error', () => this.#fail());
    this.#worker.on('exit', () => this.#fail());
    // It alone must not keep the process alive.
    this.#worker.unref();
  }

  /** Like `checkPiece` with the strongest hash, but `bytes` must not change until the answer is there. Never rejects. */
  async check(piece: number, bytes: Buffer): Promise<'ok' | 'bad'> {
    const metainfo = this.#metainfo;
    if (this.#hasTime(bytes.length)) return this.#checkHere(piece, bytes);
    if (this.#threads && !this.#worker) this.#start();
    if (!this.#online) return this.#checkHere(piece, bytes);
    const tree = metainfo.infohashV2 ? expectedV2(metainfo, piece) : undefined;
    const { buffer } = bytes;
    const digests =
      this.#worker && buffer instanceof SharedArrayBuffer && bytes.byteOffset === 0
        ? await this.#digest(buffer, bytes.length, tree?.length ?? 0)
        : undefined;
    if (!digests) return this.#checkHere(piece, bytes);
    if (bytes.length !== pieceLengthOf(metainfo, piece)) return 'bad';
    if (tree) {
      const leaves = Buffer.from(digests.leaves);
      const root = merkleRootInPlace(leaves, Math.ceil(tree.length / MERKLE_BLOCK), tree.width, ZERO_LEAF);
      return root.equals(tree.root) && zeroFrom(bytes, tree.length) ? 'ok' : 'bad';
    }
    const expected = metainfo.pieces?.subarray(piece * 20, piece * 20 + 20);
    return digests.sha1 && expected?.equals(digests.sha1) ? 'ok' : 'bad';
  }

  close(): void {
    const worker = this.#worker;
    this.#fail();
    void worker?.terminate();
  }

  #hasTime(length: number): boolean {
    return length <= HASHED_HERE_BYTES && this.#waiting.size === 0 && this.#here.waitMs(this.#now()) === 0;
  }

  #checkHere(piece: number, bytes: Buffer): 'ok' | 'bad' {
    const begun = this.#now();
    const verdict = checkPiece(this.#metainfo, piece, bytes, { hashes: 'strongest' });
    const ended = this.#now();
    this.#here.take((ended - begun) * TOKENS_PER_MS, ended);
    return verdict;
  }

  #digest(shared: SharedArrayBuffer, length: number, treeLength: number): Promise<Digests | undefined> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker?.postMessage({ id, shared, length, treeLength } satisfies Job);
    });
  }

  #settle(id: number, digests: Digests | undefined): void {
    this.#waiting.get(id)?.(digests);
    this.#waiting.delete(id);
  }

  /** The thread is gone; whoever waits hashes here. */
  #fail(): void {
    this.#worker = undefined;
    this.#online = false;
    this.#threads = false;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined);
  }
}
