/** What a person reads when a command has failed with an error that is not one of ours. Pure. */

/** Disk full, or a quota: errno(3). SQLite says the same of its own file in words. */
const isFull = (code: string | undefined, message: string): boolean =>
  code === 'ENOSPC' || code === 'EDQUOT' || /database or disk is full/.test(message);

/** A system error (no permission, no such file) says enough in its message; without a code it is a defect and shows where. */
export function errorSentence({ code, message, stack }: NodeJS.ErrnoException): string {
  if (isFull(code, message)) return `The disk is full (${message}): make room, then run the same again`;
  return code === undefined ? (stack ?? message) : message;
}
