/**
 * Checks who imports whom, and that the folders which promise to be pure keep the promise.
 *
 * The rules are data (ROOMS, PURE); test/scripts/check-rooms.test.ts plants violations and sees them found.
 * Usage: node scripts/check-rooms.ts [ROOT]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/** What a room may import of ours: a folder, or one file of it. Rooms that are not listed may import anything. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  torrent: [],
  agent: ['contract/', 'torrent/index.ts'],
  server: ['contract/', 'torrent/index.ts'],
  initramfs: ['contract/'],
  qemu: [],
};

/** Folders and files that decide and do nothing else: no IO, clock or randomness of their own. */
export const PURE: readonly string[] = [
  'contract/',
  'torrent/policy/',
  'torrent/discovery/compact-endpoints.ts',
  'torrent/discovery/local-announcement.ts',
  'torrent/discovery/peer-exchange-message.ts',
  'torrent/discovery/udp-tracker-message.ts',
  'torrent/bencode.ts',
  'torrent/magnet.ts',
  'torrent/merkle.ts',
  'agent/handoff/plan.ts',
  'server/assignments/resolve.ts',
  'server/netboot/boot-menu.ts',
  'server/doctor/firewall.ts',
  'server/doctor/snippet.ts',
  'server/setup/netboot-choices.ts',
  'server/tui/machine-state.ts',
  'server/tui/model.ts',
  'server/tui/screen.ts',
];

/** Node modules that compute only. `node:crypto` is here for hashes and signatures: see FORBIDDEN for the rest of it. */
const COMPUTING_MODULES = new Set(['node:crypto', 'node:buffer', 'node:util']);
const PACKAGES_OF_PURE_CODE = new Set(['valibot', 'torrent-piece']);
const FORBIDDEN = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, what: 'a clock' },
  { pattern: /\bMath\.random\b|\brandomBytes\b|\brandomUUID\b|\bgetRandomValues\b/, what: 'randomness' },
  { pattern: /\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b/, what: 'a timer' },
  { pattern: /\bprocess\.|\bfetch\(/, what: 'the outside world' },
];

export interface SourceFile {
  /** Path from the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const stripComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');

function importsOf(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g))
    found.push(match[1] ?? '');
  return found;
}

const isPure = (path: string): boolean =>
  PURE.some((entry) => (entry.endsWith('/') ? path.startsWith(entry) : path === entry));

/** One sentence for each broken rule. */
export function violations(files: readonly SourceFile[]): string[] {
  const sentences: string[] = [];
  for (const file of files) {
    const room = file.path.split('/')[0] ?? '';
    const allowed = ROOMS[room];
    const text = stripComments(file.text);
    const pure = isPure(file.path);
    for (const specifier of importsOf(text)) {
      if (specifier.startsWith('.')) {
        const target = normalize(join(dirname(file.path), specifier));
        const inside = target.startsWith(`${room}/`);
        if (
          allowed &&
          !inside &&
          !allowed.some((entry) => (entry.endsWith('/') ? target.startsWith(entry) : target === entry))
        ) {
          sentences.push(
            `${file.path} imports ${target}: ${room}/ may import ${allowed.join(', ') || 'nothing of ours'}`,
          );
        }
      } else if (pure && !COMPUTING_MODULES.has(specifier) && !PACKAGES_OF_PURE_CODE.has(specifier)) {
        sentences.push(`${file.path} imports ${specifier}: this file is pure and takes IO as an argument`);
      }
    }
    if (!pure) continue;
    for (const { pattern, what } of FORBIDDEN) {
      if (pattern.test(text))
        sentences.push(
          `${file.path} uses ${what} (${pattern.source.slice(0, 40)}): pure code takes it as an argument`,
        );
    }
  }
  return sentences;
}

/** The TypeScript sources below `root` that belong to a room. */
export function readSources(root: string): SourceFile[] {
  const files: SourceFile[] = [];
  for (const room of Object.keys(ROOMS)) {
    let entries: string[] = [];
    try {
      entries = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' });
    } catch {
      continue; // a room that is not built yet
    }
    for (const entry of entries) {
      if (!/\.tsx?$/.test(entry) || entry.endsWith('.d.ts')) continue;
      const path = join(room, entry);
      files.push({ path: relative('.', path), text: readFileSync(join(root, path), 'utf8') });
    }
  }
  return files;
}

if (import.meta.main) {
  const root = process.argv[2] ?? join(import.meta.dirname, '..');
  const files = readSources(root);
  const found = violations(files);
  for (const sentence of found) console.error(sentence);
  console.log(`${files.length} files read, ${found.length} broken rules of import or purity`);
  process.exitCode = found.length > 0 || files.length === 0 ? 1 : 0;
}
