/** What the seeder says of itself: to people (`swarmboot-seed status`) and to programs. Pure. */
import type { TelemetryDraft } from '../../contract/telemetry.ts';
import { mebibytes } from '../console.ts';
import type { SwarmStats } from '../download.ts';

export interface SeedState {
  readonly release: string;
  readonly port: number;
  readonly seconds: number;
  /** In MiB per second; 0: no limit. */
  readonly rateMiB: number;
  readonly stats: SwarmStats;
  /** Pieces that were found damaged. */
  readonly withdrawn: readonly number[];
}

const MIB = 1024 * 1024;

export const seedingEvent = (state: SeedState): TelemetryDraft => ({
  event: 'seeding',
  release: state.release,
  pieces: state.stats.pieces,
  pieceCount: state.stats.pieceCount,
  peers: state.stats.peers,
  uploaded: state.stats.uploaded,
  bytesPerSecond: Math.round(state.stats.upBytesPerSecond),
  limitBytesPerSecond: state.rateMiB * MIB,
  withdrawn: state.withdrawn.length,
});

function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export function statusText(state: SeedState): string {
  const { stats, withdrawn } = state;
  const damaged =
    withdrawn.length === 0 ? 'none' : `${withdrawn.length}, not given any more: ${withdrawn.join(' ')}`;
  return [
    `seeding  ${state.release} on port ${state.port} for ${duration(state.seconds)}`,
    `pieces   ${stats.pieces} of ${stats.pieceCount}, ${mebibytes(stats.bytes)} MiB`,
    `given    ${mebibytes(stats.uploaded)} MiB, now ${mebibytes(stats.upBytesPerSecond)} MiB/s`,
    `limit    ${state.rateMiB === 0 ? 'none' : `${state.rateMiB} MiB/s`}`,
    `peers    ${stats.peers}`,
    `damaged  ${damaged}`,
    '',
  ].join('\n');
}
