/** How long a complete machine keeps seeding before the handoff ends its swarm. Pure. */
import type { Linger } from '../contract/parameters.ts';

/** Longest linger of `auto` and of `ratio:X`, in seconds: a machine that nobody asks must boot. */
export const AUTO_LIMIT_SECONDS = 60;
export const RATIO_LIMIT_SECONDS = 600;
/** A server that says nothing for so long is taken for gone. */
export const SILENCE_LIMIT_SECONDS = 5;
/** The server's count may miss a machine that is just beginning, so one 0 is not believed. */
const ZEROS_NEEDED = 2;

export interface LingerState {
  /** Since completion. */
  readonly elapsedSeconds: number;
  /** Since the server's last answer, or since completion if there was none. */
  readonly silentSeconds: number;
  /** Answers of 0, one behind the other, up to now. */
  readonly zerosInARow: number;
  readonly uploadedBytes: number;
  readonly imageBytes: number;
}

/** Why seeding may end now, or undefined: go on. */
export function reasonToStop(linger: Linger, state: LingerState): string | undefined {
  switch (linger.kind) {
    case 'seconds':
      return state.elapsedSeconds >= linger.seconds ? `${linger.seconds} s are over` : undefined;
    case 'ratio':
      if (state.uploadedBytes >= linger.ratio * state.imageBytes) return `ratio ${linger.ratio} is reached`;
      return state.elapsedSeconds >= RATIO_LIMIT_SECONDS
        ? `ratio ${linger.ratio} is not reached within ${RATIO_LIMIT_SECONDS} s`
        : undefined;
    case 'auto':
      if (state.zerosInARow >= ZEROS_NEEDED) return 'no machine needs this one';
      if (state.silentSeconds >= SILENCE_LIMIT_SECONDS) return 'the server is silent';
      return state.elapsedSeconds >= AUTO_LIMIT_SECONDS ? `${AUTO_LIMIT_SECONDS} s are over` : undefined;
  }
}
