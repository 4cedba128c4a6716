import { readFileSync } from 'node:fs';

/**
 * Most resident memory of this process so far, in bytes. VmHWM of proc_pid_status(5), which begins anew at exec;
 * getrusage's maximum is inherited from whoever started us and can be a stranger's.
 */
export function peakRssBytes(): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
    if (match) return Number(match[1]) * 1024;
  } catch {
    // No /proc.
  }
  return process.resourceUsage().maxRSS * 1024;
}
