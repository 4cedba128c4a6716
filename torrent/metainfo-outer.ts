/** The keys around the info dictionary: hints about where the swarm is. They can change without a new infohash. */
import { type BencodeValue, encodeBencode, encodeDictionaryOfRaw } from './bencode.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from './endpoint.ts';
import type { Metainfo } from './metainfo-model.ts';

export interface OuterKeys {
  readonly announce: readonly string[];
  readonly urlList: readonly string[];
  readonly explicitPeers: readonly Endpoint[];
}

export const NO_OUTER_KEYS: OuterKeys = { announce: [], urlList: [], explicitPeers: [] };

/** Most trackers, webseeds or peers that are taken from one metainfo or magnet, each. */
export const HINT_LIMIT = 64;
const URL_LIMIT_CHARS = 2048;

/** `text` where it is a URL with one of the `protocols` and without credentials; else undefined. */
export function hintUrl(text: string, protocols: readonly string[]): string | undefined {
  if (text.length > URL_LIMIT_CHARS || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return protocols.includes(url.protocol) && url.hostname !== '' && url.username === '' ? text : undefined;
}

export const TRACKER_PROTOCOLS = ['http:', 'https:', 'udp:'];
export const WEBSEED_PROTOCOLS = ['http:', 'https:'];

const texts = (value: BencodeValue | undefined): string[] =>
  Buffer.isBuffer(value)
    ? [value.toString('utf8')]
    : Array.isArray(value)
      ? value.slice(0, HINT_LIMIT).flatMap(texts).slice(0, HINT_LIMIT)
      : [];

const distinct = <T>(items: readonly (T | undefined)[]): T[] =>
  [...new Set(items.filter((item) => item !== undefined))].slice(0, HINT_LIMIT) as T[];

/** Reads `announce`, `announce-list` (BEP 12, tiers flattened), `url-list` (BEP 19) and `x.pe`; drops what is broken. */
export function parseOuterKeys(outer: ReadonlyMap<string, { value: BencodeValue }>): OuterKeys {
  const trackers = [...texts(outer.get('announce')?.value), ...texts(outer.get('announce-list')?.value)];
  const peers = distinct(texts(outer.get('x.pe')?.value)).map(parseEndpoint);
  return {
    announce: distinct(trackers.map((text) => hintUrl(text, TRACKER_PROTOCOLS))),
    urlList: distinct(texts(outer.get('url-list')?.value).map((text) => hintUrl(text, WEBSEED_PROTOCOLS))),
    explicitPeers: distinct(peers),
  };
}

/** The outer keys as raw bencode, ready for `encodeDictionaryOfRaw`; empty lists leave their key out. */
export function encodeOuterKeys(outer: OuterKeys): Map<string, Buffer> {
  const entries = new Map<string, Buffer>();
  const { announce, urlList, explicitPeers } = outer;
  if (announce[0] !== undefined) entries.set('announce', encodeBencode(announce[0]));
  if (announce.length > 1) entries.set('announce-list', encodeBencode(announce.map((url) => [url])));
  if (urlList.length > 0) entries.set('url-list', encodeBencode(urlList));
  if (explicitPeers.length > 0) entries.set('x.pe', encodeBencode(explicitPeers.map(formatEndpoint)));
  return entries;
}

/** `piece layers` as raw bencode from a map of hex root to layer. */
export const encodePieceLayers = (layers: ReadonlyMap<string, Buffer>): Buffer =>
  encodeBencode(
    new Map([...layers].map(([root, layer]) => [Buffer.from(root, 'hex').toString('latin1'), layer])),
  );

/**
 * A .torrent with the same info dictionary byte for byte, the same piece layers, and these hints instead of the old
 * ones: the server adds itself as tracker, webseed and peer to a release that was signed elsewhere.
 */
export function withOuterKeys(metainfo: Metainfo, outer: OuterKeys): Buffer {
  const entries: Map<string, Uint8Array> = encodeOuterKeys(outer);
  entries.set('info', metainfo.infoBytes);
  if (metainfo.infohashV2) entries.set('piece layers', encodePieceLayers(metainfo.pieceLayers));
  return encodeDictionaryOfRaw(entries);
}
