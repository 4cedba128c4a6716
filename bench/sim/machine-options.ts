/** What a simulated machine is made of: its place in the swarm, its link, its memory and its conduct. */
import type { EventQueue } from './event-queue.ts';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { SimulatedWebseed } from './webseed.ts';

/** How a machine behaves towards others: as it should, with wrong bytes, or promising pieces and never sending them. */
export type Conduct = 'honest' | 'liar' | 'mute';

export interface MachineOptions {
  readonly name: number;
  readonly events: EventQueue;
  readonly random: Random;
  readonly pieceCount: number;
  readonly pieceLength: number;
  readonly lengthOf: (piece: number) => number;
  readonly role: 'peer' | 'origin';
  readonly superSeeding: boolean;
  readonly complete: boolean;
  readonly conduct: Conduct;
  readonly upBytesPerSecond: number;
  readonly downBytesPerSecond: number;
  readonly delayMs: number;
  readonly windowBytes: number;
  /** What the kernel takes of each connection before a program sees that it does not drain. */
  readonly socketBytes: number;
  /** Hash and write of a piece. */
  readonly verifyMs: number;
  readonly memoryBytes: number;
  readonly mostPeers: number;
  readonly uploadSlots: number;
  readonly requestTimeoutMs: number;
  readonly webseed: SimulatedWebseed | undefined;
  readonly gained: (machine: Machine, now: number) => void;
  readonly lost: (machine: Machine, other: Machine, reason: string) => void;
}
