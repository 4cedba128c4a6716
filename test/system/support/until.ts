/** Waiting for something that nothing announces. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Returns when `isSo` says true; throws with `what` after `timeoutMs`. */
export async function until(isSo: () => boolean, timeoutMs: number, what: string): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > deadlineMs) throw new Error(`After ${timeoutMs / 1000} s still not: ${what}`);
    await sleep(POLL_MS);
  }
}
