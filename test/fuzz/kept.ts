/** Where a target and its kept inputs are. */
import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const corpusOf = (target: string): string => join(import.meta.dirname, 'corpus', target);
/** URL of its module. */
export const moduleOf = (target: string): string => new URL(`./targets/${target}.ts`, import.meta.url).href;
/** The name of its file. */
export const nameOf = (input: Uint8Array): string => hash('sha1', input).slice(0, 16);

/** The kept inputs, in order of their names. */
export function keptOf(target: string): Buffer[] {
  const folder = corpusOf(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}
