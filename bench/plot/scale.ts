/** From values to positions, and where the ticks of an axis go. Pure. */

export interface Scale {
  /** Where a value lies, in the units of the range. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Ticks at 1, 2 or 5 times a power of ten, about `about` of them, from `least` to `most`. */
export function niceTicks(least: number, most: number, about: number): number[] {
  const raw = (most - least) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  // By multiplication: adding up steps would add up their errors.
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

export function linearScale(
  [least, most]: readonly [number, number],
  [from, to]: readonly [number, number],
  about = 6,
): Scale {
  return {
    at: (value) => from + ((value - least) / (most - least)) * (to - from),
    ticks: niceTicks(least, most, about),
  };
}

/** `ticks` are given: on a logarithmic axis one wants to see the very values that were measured. */
export function logScale(
  [least, most]: readonly [number, number],
  [from, to]: readonly [number, number],
  ticks: readonly number[],
): Scale {
  const width = Math.log(most / least);
  return { at: (value) => from + (Math.log(value / least) / width) * (to - from), ticks };
}
