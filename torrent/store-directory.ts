import { join } from 'node:path';
import type { Metainfo } from './metainfo-model.ts';
import type { Segment } from './store.ts';

/**
 * The torrent's files below `directory`, each at its own path (the torrent's name is not added: join it to `directory`
 * where it is wanted). `openSegmentStore` in write mode makes them; pads stay out of the file system.
 */
export const directorySegments = (metainfo: Metainfo, directory: string): Segment[] =>
  metainfo.files.map(({ path, offset, length, pad }) => ({
    offset,
    length,
    path: pad ? undefined : join(directory, path),
    pathOffset: 0,
    wholeFile: true,
  }));
