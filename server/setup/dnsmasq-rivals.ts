/**
 * What else configures dnsmasq here. dnsmasq reads all files of its folder as one: two `port=` are an "illegal repeated
 * keyword", `bind-interfaces` is refused beside our `bind-dynamic`, and of two `tftp-root=` the last is served. So a
 * second file of that kind is told, not joined.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { systemCode } from '../failure.ts';

/** `ltsp dnsmasq` writes this name into the folder, ltsp-dnsmasq(8). */
export const LTSP_SNIPPET = 'ltsp-dnsmasq.conf';

export interface Rival {
  readonly path: string;
  /** The option that ours cannot stand beside. */
  readonly option: string;
  /** A clause: what dnsmasq makes of both. */
  readonly outcome: string;
  readonly ltsp: boolean;
}

/** dnsmasq(8) for the folder: `conf-dir=/etc/dnsmasq.d/,*.conf` in Debian; files for the shell and for dpkg are left out. */
const isRead = (name: string): boolean => !/^\.|~$|^#.*#$|\.dpkg-(old|new|dist)$/.test(name);

/** The option of `text` that our file cannot stand beside, or undefined. */
export const rivalOption = (text: string): string | undefined =>
  /^[ \t]*(?:(port|tftp-root)[ \t]*=|(bind-interfaces)[ \t]*(?:#.*)?$)/m.exec(text)?.slice(1).find(Boolean);

const outcomeOf = (option: string): string =>
  option === 'tftp-root' ? 'dnsmasq serves one folder by TFTP' : 'dnsmasq does not start with both';

/** The first file beside `snippet` that cannot be there together with it. */
export function findRival(snippet: string): Rival | undefined {
  const folder = dirname(resolve(snippet));
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  for (const name of names) {
    if (name === basename(snippet) || !isRead(name)) continue;
    const path = join(folder, name);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      continue; // a folder, or not for us to read: dnsmasq will say
    }
    const option = rivalOption(text);
    if (option !== undefined)
      return { path, option, outcome: outcomeOf(option), ltsp: name === LTSP_SNIPPET };
  }
  return undefined;
}
