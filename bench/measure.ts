/** What the kernel knows about a process, and the statistics of a few rounds. */
import { readFileSync } from 'node:fs';

/** USER_HZ: the unit of /proc/PID/stat, 100 on every Linux that Debian builds. See proc_pid_stat(5). */
const TICKS_PER_SECOND = 100;

/** CPU seconds of a whole process, user and system, threads included, and children that have ended too. */
export function cpuSeconds(stat: string): number {
  // The command's name is in parentheses and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / TICKS_PER_SECOND;
}

/** Peak resident set in bytes, from the text of /proc/PID/status. */
export function peakRssBytes(status: string): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(status);
  if (!match) throw new Error('Cannot find VmHWM in /proc/PID/status: has the process ended?');
  return Number(match[1]) * 1024;
}

export const cpuSecondsOf = (pid: number): number => cpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
export const peakRssBytesOf = (pid: number): number =>
  peakRssBytes(readFileSync(`/proc/${pid}/status`, 'utf8'));

/** The middle value; between two middle ones, their mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('Cannot take the median of no values');
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
