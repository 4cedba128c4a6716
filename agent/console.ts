/**
 * The lines that the agent puts on the console: a fixed grammar, one line each, which people read and which the
 * tests on virtual machines match. Pure: it makes strings, console-writer.ts writes them.
 *
 *   swarmboot: phase NAME: start
 *   swarmboot: phase NAME: end ok 1.234s DETAIL
 *   swarmboot: phase NAME: end failed 1.234s REASON
 *   swarmboot: progress 45.2% 123.4 MiB of 273.0 MiB, 12.3 MiB/s, 3 peers, ETA 12s
 *   swarmboot: note SENTENCE
 *   swarmboot: error CODE: SENTENCE
 *   swarmboot: rebooting in 60s
 */
import type { Phase } from '../contract/telemetry.ts';

const PREFIX = 'swarmboot: ';
/** Longest line, in characters: a hostile server's sentence must not flood a serial line. */
const LINE_LIMIT = 500;

/** One line of printable characters, whatever is in the text: what came from the network is no terminal program. */
export const oneLine = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?')
    .trim()
    .slice(0, LINE_LIMIT);

const line = (text: string): string => `${PREFIX}${oneLine(text)}`;
const seconds = (value: number): string => `${Math.max(0, value).toFixed(3)}s`;

export const phaseStart = (phase: Phase): string => line(`phase ${phase}: start`);
export const phaseEnd = (phase: Phase, ok: boolean, elapsedSeconds: number, detail: string): string =>
  line(`phase ${phase}: end ${ok ? 'ok' : 'failed'} ${seconds(elapsedSeconds)} ${detail}`);
export const note = (sentence: string): string => line(`note ${sentence}`);
export const error = (code: string, sentence: string): string => line(`error ${code}: ${sentence}`);
export const rebooting = (inSeconds: number): string => line(`rebooting in ${inSeconds}s`);

/** `123.4`, of 2^20 bytes. */
export const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);

export interface Progress {
  readonly bytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  readonly peers: number;
}

export function progress({ bytes, totalBytes, bytesPerSecond, peers }: Progress): string {
  // Rounded down: 100.0% is said only when nothing is missing.
  const percent = totalBytes > 0 ? Math.floor((bytes / totalBytes) * 1000) / 10 : 100;
  const left = totalBytes - bytes;
  const eta = left <= 0 ? '0s' : bytesPerSecond > 0 ? `${Math.ceil(left / bytesPerSecond)}s` : 'unknown';
  return line(
    `progress ${percent.toFixed(1)}% ${mebibytes(bytes)} MiB of ${mebibytes(totalBytes)} MiB, ` +
      `${mebibytes(bytesPerSecond)} MiB/s, ${peers} ${peers === 1 ? 'peer' : 'peers'}, ETA ${eta}`,
  );
}
