/**
 * Stores in memory are read and written at once, without another thread, and a promise that is fulfilled at once does not
 * give way: a loop over a whole image, as when it is read back, would keep sockets and timers waiting for seconds, and with
 * them everybody who is served. So only so much is done in one turn of the event loop, which all such files share.
 */

/** About a millisecond of copying, and what comes of it is hashed perhaps. */
const BYTES_PER_TURN = 2 ** 20;
/** What an access costs at least, as if it were so many bytes. */
const LEAST_BYTES = 16_384;

let done = 0;
let next: Promise<void> | undefined;

/** Whether `bytes` may be read or written now; else ask again after `nextTurn`. */
export function mayAccess(bytes: number): boolean {
  if (done >= BYTES_PER_TURN) return false;
  done += Math.max(bytes, LEAST_BYTES);
  void nextTurn();
  return true;
}

/** Fulfilled when sockets and timers had their turn. */
export function nextTurn(): Promise<void> {
  next ??= new Promise((resolve) => {
    setImmediate(() => {
      done = 0;
      next = undefined;
      resolve();
    });
  });
  return next;
}
