/** Versions of an image: the day and a number that counts up within it, `20260131.2`. */

/** The first version of `nowMs`'s day (UTC) that is above all of `existing`. */
export function nextVersion(existing: readonly string[], nowMs: number): string {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '');
  const numbers = existing.map((version) => {
    const match = /^(\d{8})\.(\d{1,6})$/.exec(version);
    return match?.[1] === day ? Number(match[2]) : 0;
  });
  return `${day}.${Math.max(0, ...numbers) + 1}`;
}

/** Orders versions of this form by day and number; any other form comes first, by its text. */
export function compareVersions(a: string, b: string): number {
  const key = (version: string): [number, number] => {
    const match = /^(\d{8})\.(\d{1,6})$/.exec(version);
    return match ? [Number(match[1]), Number(match[2])] : [0, 0];
  };
  const [dayA, numberA] = key(a);
  const [dayB, numberB] = key(b);
  return dayA - dayB || numberA - numberB || (a < b ? -1 : a > b ? 1 : 0);
}
