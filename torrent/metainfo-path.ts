/**
 * Paths out of a metainfo: each becomes a file name somewhere, so each is checked before anyone joins it to a folder.
 */
import { MetainfoError } from './metainfo-model.ts';

/** Linux NAME_MAX, in bytes. */
const COMPONENT_LIMIT_BYTES = 255;
const DEPTH_LIMIT = 32;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** One component of a path, as text. Throws `MetainfoError` `unsafe-path`. */
export function safeComponent(bytes: Uint8Array): string {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new MetainfoError(
      'unsafe-path',
      `Path component ${JSON.stringify(Buffer.from(bytes.subarray(0, 300)).toString('latin1'))} is not UTF-8`,
    );
  }
  const quoted = JSON.stringify(text.slice(0, 300));
  if (text === '' || text === '.' || text === '..') {
    throw new MetainfoError('unsafe-path', `Path component ${quoted} is not a file name`);
  }
  // The backslash is harmless here, but not to whoever seeds the same torrent elsewhere.
  if (/[/\\\0-\x1f\x7f]/.test(text)) {
    throw new MetainfoError('unsafe-path', `Path component ${quoted} holds a separator or control character`);
  }
  if (bytes.length > COMPONENT_LIMIT_BYTES) {
    throw new MetainfoError(
      'unsafe-path',
      `Path component ${quoted} is longer than ${COMPONENT_LIMIT_BYTES} bytes`,
    );
  }
  return text;
}

/** Joins components that `safeComponent` let through. */
export function safePath(components: readonly Uint8Array[]): string {
  if (components.length === 0) throw new MetainfoError('unsafe-path', 'A file has an empty path');
  if (components.length > DEPTH_LIMIT) {
    throw new MetainfoError('unsafe-path', `A path is deeper than ${DEPTH_LIMIT} folders`);
  }
  return components.map(safeComponent).join('/');
}

/** What two paths have in common if a file system that ignores case (or Unicode form) takes them for one. */
const folded = (path: string): string => path.normalize('NFC').toLowerCase();

/** Throws `MetainfoError` `overlap` where two paths clash, or one is the folder of another. */
export function refuseOverlaps(paths: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const path of paths) {
    const other = seen.get(folded(path));
    if (other !== undefined) {
      throw new MetainfoError(
        'overlap',
        `Files ${JSON.stringify(other)} and ${JSON.stringify(path)} are the same path`,
      );
    }
    seen.set(folded(path), path);
  }
  for (const path of paths) {
    const key = folded(path);
    for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) {
      const other = seen.get(key.slice(0, slash));
      if (other !== undefined) {
        throw new MetainfoError(
          'overlap',
          `${JSON.stringify(other)} is a file and the folder of ${JSON.stringify(path)}`,
        );
      }
    }
  }
}
