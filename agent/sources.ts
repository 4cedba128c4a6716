/** Where the pieces of a release can come from. Pure. */
import type { Endpoint } from '../contract/parameters.ts';
import type { Metainfo } from '../torrent/index.ts';

export interface Sources {
  readonly peers: readonly Endpoint[];
  readonly trackers: readonly string[];
  readonly webseeds: readonly string[];
}

/** Base for plain HTTP below the manifest, where the server has the files in a webseed's layout (BEP 19). */
export const lastResortUrl = (manifestUrl: string): string => new URL('files/', manifestUrl).href;

const distinct = <T>(items: readonly T[], key: (item: T) => string): T[] => [
  ...new Map(items.map((item) => [key(item), item])).values(),
];

/**
 * What the metainfo names (its outer keys are not signed: they only say where to ask, every piece is verified) and what
 * the caller was given, each once. `manifestUrl` undefined: the manifest came from a file, and there is no last resort.
 */
export function sourcesOf(
  metainfo: Metainfo,
  manifestUrl: string | undefined,
  given: { readonly peers: readonly Endpoint[]; readonly trackers: readonly string[] },
): Sources {
  const webseeds = [...metainfo.urlList, ...(manifestUrl === undefined ? [] : [lastResortUrl(manifestUrl)])];
  return {
    peers: distinct([...given.peers, ...metainfo.explicitPeers], ({ host, port }) => `${host} ${port}`),
    trackers: distinct([...given.trackers, ...metainfo.announce], (url) => url),
    webseeds: distinct(webseeds, (url) => url),
  };
}
