/** Magnet links (BEP 9, BEP 53's hybrid form): `magnet:?xt=urn:btih:…&xt=urn:btmh:1220…&dn=&tr=&ws=&x.pe=`. */
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import { HINT_LIMIT, hintUrl, TRACKER_PROTOCOLS, WEBSEED_PROTOCOLS } from './metainfo-outer.ts';

export interface Magnet {
  /** 20 bytes, from `urn:btih:` in hex or base32. At least one of the two infohashes is there. */
  readonly infohashV1: Buffer | undefined;
  /** 32 bytes, from `urn:btmh:` (multihash 0x12 0x20: SHA-256). */
  readonly infohashV2: Buffer | undefined;
  /** Display name; a hint, at most 255 characters, never used as a path. */
  readonly name: string | undefined;
  readonly trackers: readonly string[];
  readonly webseeds: readonly string[];
  readonly peers: readonly Endpoint[];
}

/** Why a text is no magnet link that can be followed. */
export class MagnetError extends Error {
  readonly code: 'malformed' | 'no-infohash' | 'conflict';
  constructor(code: MagnetError['code'], message: string) {
    super(message);
    this.name = 'MagnetError';
    this.code = code;
  }
}

const LENGTH_LIMIT_CHARS = 65_536;
const PARAMETER_LIMIT = 512;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 32 characters of RFC 4648 base32 are exactly 20 bytes. */
function decodeBase32(text: string): Buffer {
  let bits = 0n;
  for (const character of text.toUpperCase()) bits = (bits << 5n) | BigInt(BASE32.indexOf(character));
  return Buffer.from(bits.toString(16).padStart(40, '0'), 'hex');
}

function infohashOf(topic: string): { v1?: Buffer; v2?: Buffer } {
  const hex1 = /^urn:btih:([0-9a-f]{40})$/i.exec(topic)?.[1];
  if (hex1) return { v1: Buffer.from(hex1, 'hex') };
  const base32 = /^urn:btih:([a-z2-7]{32})$/i.exec(topic)?.[1];
  if (base32) return { v1: decodeBase32(base32) };
  const hex2 = /^urn:btmh:1220([0-9a-f]{64})$/i.exec(topic)?.[1];
  if (hex2) return { v2: Buffer.from(hex2, 'hex') };
  return {};
}

/** Two topics of one kind must agree, or it is two torrents. */
function onlyOne(hashes: readonly (Buffer | undefined)[]): Buffer | undefined {
  const found = hashes.filter((hash) => hash !== undefined);
  if (found.some((hash) => !hash.equals(found[0]!))) {
    throw new MagnetError('conflict', 'Magnet link names two different torrents');
  }
  return found[0];
}

/** Reads a magnet link; hints that are broken are dropped. Throws `MagnetError`. */
export function parseMagnet(uri: string): Magnet {
  if (uri.length > LENGTH_LIMIT_CHARS || !/^magnet:\?/i.test(uri)) {
    throw new MagnetError('malformed', `Not a magnet link: ${JSON.stringify(uri.slice(0, 80))}`);
  }
  const parameters = [...new URLSearchParams(uri.slice('magnet:?'.length))];
  if (parameters.length > PARAMETER_LIMIT) {
    throw new MagnetError(
      'malformed',
      `Magnet link has ${parameters.length} parameters; allowed are ${PARAMETER_LIMIT}`,
    );
  }
  /** Values of `key`, `key.1`, `key.2`, …; `x.pe` itself has a dot. */
  const all = (key: string): string[] =>
    parameters
      .filter(
        ([name]) => name === key || (name.startsWith(`${key}.`) && /^\d+$/.test(name.slice(key.length + 1))),
      )
      .map(([, value]) => value);
  const distinct = <T>(items: readonly (T | undefined)[]): T[] =>
    [...new Set(items.filter((item) => item !== undefined))].slice(0, HINT_LIMIT) as T[];

  const topics = all('xt').map(infohashOf);
  const infohashV1 = onlyOne(topics.map(({ v1 }) => v1));
  const infohashV2 = onlyOne(topics.map(({ v2 }) => v2));
  if (!infohashV1 && !infohashV2) {
    throw new MagnetError(
      'no-infohash',
      'Magnet link has no "xt=urn:btih:" or "xt=urn:btmh:1220" that can be read',
    );
  }
  return {
    infohashV1,
    infohashV2,
    name: all('dn')[0]?.slice(0, 255),
    trackers: distinct(all('tr').map((text) => hintUrl(text, TRACKER_PROTOCOLS))),
    webseeds: distinct(all('ws').map((text) => hintUrl(text, WEBSEED_PROTOCOLS))),
    peers: distinct(distinct(all('x.pe')).map(parseEndpoint)),
  };
}
