/** One end of a simulated connection: what goes out, and where both sides stand with each other. */
import type { UploadTarget } from '../../torrent/policy/upload-turns.ts';
import type { Machine } from './machine.ts';
import type { Flow } from './network.ts';

/** This machine's end of a connection. */
export class Connection implements UploadTarget {
  readonly key: number;
  readonly other: Machine;
  readonly out: Flow;
  joined = false;
  amChoking = true;
  peerInterested = false;
  readonly #socketBytes: number;

  constructor(key: number, other: Machine, out: Flow, socketBytes: number) {
    this.key = key;
    this.other = other;
    this.out = out;
    this.#socketBytes = socketBytes;
  }

  get pendingBytes(): number {
    return Math.max(0, this.out.waitingBytes - this.#socketBytes);
  }
}
