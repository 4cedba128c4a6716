/**
 * The applets of a busybox, read from its file: one of another architecture cannot be asked with --list here.
 *
 * busybox keeps the names as one table, sorted, each with a zero behind it, and an empty name at the end
 * (applet_names of include/applet_tables.h). `[` sorts first.
 */

const FIRST = Buffer.from('[\0[[\0', 'latin1');
const NAME = /^[a-z0-9_.[-][a-z0-9_.+[-]{0,31}$/;

/** Throws Error if the file has no such table. */
export function appletsOf(busybox: Uint8Array): string[] {
  const bytes = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.byteLength);
  // What is in front of the table is no part of it: a zero on x86, anything on ARM64.
  const start = bytes.indexOf(FIRST);
  const end = start < 0 ? -1 : bytes.indexOf('\0\0', start);
  const names = end > start ? bytes.toString('latin1', start, end).split('\0') : [];
  if (names.length === 0 || !names.every((name) => NAME.test(name)))
    throw new Error('Cannot read the applets of this busybox: it has no table of their names');
  return names;
}
