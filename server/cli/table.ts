/** Plain columns for listings. */

/** Lines of text with the columns aligned, the header first; an empty cell shows `-`. */
export function tableText(
  header: readonly string[],
  rows: readonly (readonly (string | undefined)[])[],
): string {
  const lines = [
    header,
    ...rows.map((row) => row.map((cell) => (cell === undefined || cell === '' ? '-' : cell))),
  ];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Prints `items` as JSON, or `text` of them; `nothing` is a sentence for an empty list. */
export function printList<T>(
  json: boolean,
  items: readonly T[],
  text: (items: readonly T[]) => string,
  nothing: string,
): void {
  if (json) console.log(JSON.stringify(items, null, 2));
  else console.log(items.length === 0 ? `swarmboot: ${nothing}` : text(items));
}

/** `2026-01-31 12:00` in the server's time zone. */
export function localTime(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** As JSON has times; null where there is none. */
export const isoTime = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();
