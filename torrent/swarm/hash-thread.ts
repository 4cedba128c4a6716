/**
 * Hashes pieces, where it pays on a thread of their own: on a fast link the hash of a piece takes as long as receiving it,
 * so a download that hashes where it receives is half as fast. The bytes are shared, not copied: piece buffers lie in
 * shared memory. On a slow link a small piece is hashed in less time than it takes to ask a thread, which then never starts.
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

/** A piece of up to so many bytes: 0.2 ms of hashing, or 0.6 where OPENSSL_ia32cap hides the SHA instructions. */
const HASHED_HERE_BYTES = 256 * 1024;
/** So much leaves the loop idle for the most part, ... */
const HASHED_HERE_BYTES_PER_SECOND = 16 * 2 ** 20;
/** ... and so much may come at once: a loop that was held up finds several pieces, and a thread costs more than these. */
const HASHED_HERE_BURST_BYTES = 4 * 2 ** 20;

const ZERO_LEAF = Buffer.alloc(SHA256_BYTES);

export class HashThread {
  readonly #metainfo: Metainfo;
  readonly #waiting = new Map<number, (digests: Digests | undefined) => void>();
  readonly #now: () => number;
  #worker: Worker | undefined;
  /** A thread can be had, as far as we know. */
  #threads = true;
  #nextId = 1;
  readonly #here: TokenBucket;

  /** `now`: in ms. */
  constructor(metainfo: Metainfo, now: () => number) {
    this.#metainfo = metainfo;
    this.#now = now;
    this.#here = new TokenBucket(HASHED_HERE_BYTES_PER_SECOND, now(), HASHED_HERE_BURST_BYTES);
  }

  /** Whether there is a thread (yet). */
  get isRunning(): boolean {
    return this.#worker !== undefined;
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
    this.#worker.on('message', (digests: Digests) => this.#settle(digests.id, digests));
    this.#worker.on('error', () => this.#fail());
    this.#worker.on('exit', () => this.#fail());
    // It alone must not keep the process alive.
    this.#worker.unref();
  }

  /** Like `checkPiece` with the strongest hash, but `bytes` must not change until the answer is there. Never rejects. */
  async check(piece: number, bytes: Buffer): Promise<'ok' | 'bad'> {
    const metainfo = this.#metainfo;
    if (this.#hasTime(bytes.length)) return checkPiece(metainfo, piece, bytes, { hashes: 'strongest' });
    if (this.#threads && !this.#worker) this.#start();
    const tree = metainfo.infohashV2 ? expectedV2(metainfo, piece) : undefined;
    const { buffer } = bytes;
    const digests =
      this.#worker && buffer instanceof SharedArrayBuffer && bytes.byteOffset === 0
        ? await this.#digest(buffer, bytes.length, tree?.length ?? 0)
        : undefined;
    if (!digests) return checkPiece(metainfo, piece, bytes, { hashes: 'strongest' });
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
    return length <= HASHED_HERE_BYTES && this.#waiting.size === 0 && this.#here.take(length, this.#now());
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
    this.#threads = false;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined);
  }
}
