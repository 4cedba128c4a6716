/** dnsmasq's file of `swarmboot dnsmasq`, as it is on the disk now. */
import { readFileSync, statSync } from 'node:fs';
import { parseSnippet, type Snippet } from './snippet.ts';

/** The file at `path` with the time of its last change; undefined if it cannot be read. */
export function readSnippet(path: string): (Snippet & { readonly mtimeMs: number }) | undefined {
  try {
    return { ...parseSnippet(readFileSync(path, 'utf8')), mtimeMs: statSync(path).mtimeMs };
  } catch {
    return undefined;
  }
}
