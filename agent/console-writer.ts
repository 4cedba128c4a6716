/**
 * Writes lines to /dev/console, or to standard output where there is none.
 *
 * A console can stop taking bytes (a serial line with flow control, a terminal held with Ctrl-S). It is therefore
 * opened non-blocking, and what it does not take now waits in a bounded queue: a stuck console never stops a boot.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** What waits for a console that takes nothing, in characters; the oldest lines go first. */
const BACKLOG_LIMIT = 32 * 1024;
const RETRY_MS = 50;

export interface Console {
  /** Puts out one line, without its line end. Never throws, never blocks. */
  line(text: string): void;
  close(): void;
}

export function openConsole(path: string): Console {
  let fd = 1;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // Standard output it is.
  }
  let backlog: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    timer = undefined;
    while (backlog[0]) {
      try {
        const written = writeSync(fd, backlog[0]);
        if (written < backlog[0].length) backlog[0] = backlog[0].subarray(written);
        else backlog.shift();
      } catch (cause) {
        // EAGAIN: full, later. Anything else (EIO of a hung-up line): these lines are lost, the boot is not.
        if ((cause as NodeJS.ErrnoException).code === 'EAGAIN') timer ??= setTimeout(flush, RETRY_MS).unref();
        else backlog = [];
        return;
      }
    }
  };
  return {
    line(text) {
      backlog.push(Buffer.from(`${text}\n`));
      let waiting = backlog.reduce((sum, entry) => sum + entry.length, 0);
      // The first entry may be half written, so it is never the one that goes.
      while (waiting > BACKLOG_LIMIT && backlog.length > 2) waiting -= backlog.splice(1, 1)[0]?.length ?? 0;
      if (!timer) flush();
    },
    close() {
      clearTimeout(timer);
      if (fd !== 1) closeSync(fd);
    },
  };
}
