/** Numbers in the words of a command line. */
export const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 2 ** 20,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
export const RATE_UNITS: Readonly<Record<string, number>> = { '': 1e6, Mbit: 1e6, Gbit: 1e9 };

/** A size in bytes or a rate in bits per second. Throws an `Error` that says what would do. */
export function quantity(text: string, units: Readonly<Record<string, number>>, option: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = units[unit];
  const value = Number(digits) * (factor ?? Number.NaN);
  if (digits !== '' && value > 0) return Math.round(value);
  const known = Object.keys(units).filter((name) => name !== '');
  throw new Error(`Cannot take "${text}" for ${option}: give a number above 0 and ${known.join(' or ')}`);
}

/** A whole number. Throws an `Error` that says what would do. */
export function whole(text: string, least: number, most: number, option: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`Cannot take "${text}" for ${option}: give a whole number from ${least} to ${most}`);
}

/** A number of any kind. Throws an `Error` that says what would do. */
export function number(text: string, least: number, most: number, option: string): number {
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`Cannot take "${text}" for ${option}: give a number from ${least} to ${most}`);
}
