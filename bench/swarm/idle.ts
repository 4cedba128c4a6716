/** How much of the host's CPU time nobody wanted: a swarm that is short of it says nothing about networks. */
import { readFileSync } from 'node:fs';

export interface CpuTicks {
  readonly idle: number;
  readonly all: number;
}

/** From the text of /proc/stat, see proc_stat(5): user nice system idle iowait irq softirq steal. */
export function cpuTicks(stat: string): CpuTicks {
  const fields = stat.slice(0, stat.indexOf('\n')).trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, waiting = 0] = fields;
  return { idle: idle + waiting, all: fields.reduce((sum, field) => sum + field, 0) };
}

export const cpuTicksNow = (): CpuTicks => cpuTicks(readFileSync('/proc/stat', 'utf8'));

export const idleShare = (before: CpuTicks, after: CpuTicks): number =>
  after.all === before.all ? 1 : (after.idle - before.idle) / (after.all - before.all);
