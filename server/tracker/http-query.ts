/**
 * Parses the query of /announce (BEP 3, BEP 23) and /scrape (BEP 48) strictly, and writes it anew, so that what
 * reaches bittorrent-tracker has each parameter at most once, of the right length and kind.
 */

/** Longest query that is looked at, in characters: 64 scraped infohashes with every byte escaped fit. */
const QUERY_LIMIT_CHARS = 8192;
const PAIR_LIMIT = 96;
const SCRAPE_LIMIT = 64;
const PEERS_LIMIT = 82;
const EVENTS = ['started', 'stopped', 'completed'];

/** Percent-decodes to one byte for each character, as BitTorrent clients encode; undefined if it is broken. */
function decode(text: string): Buffer | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text) || /[^\x21-\x7e]/.test(text)) return undefined;
  const latin1 = text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1');
}

function parsePairs(query: string): Map<string, Buffer[]> | undefined {
  if (query.length > QUERY_LIMIT_CHARS) return undefined;
  const pairs = new Map<string, Buffer[]>();
  const texts = query.split('&', PAIR_LIMIT + 1);
  if (texts.length > PAIR_LIMIT) return undefined;
  for (const text of texts) {
    if (text === '') continue;
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const value = decode(equals < 0 ? '' : text.slice(equals + 1));
    if (value === undefined) return undefined;
    pairs.set(name, [...(pairs.get(name) ?? []), value]);
  }
  return pairs;
}

const escapeBytes = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/../g, (pair) => `%${pair.toUpperCase()}`);

/** What is wrong with a query, for the client. */
export interface Refused {
  readonly refused: string;
}

/** The URL to hand on to bittorrent-tracker. */
export function parseAnnounce(query: string): { readonly url: string } | Refused {
  const pairs = parsePairs(query);
  if (!pairs) return { refused: 'malformed query' };
  const one = (name: string): Buffer | undefined => {
    const values = pairs.get(name);
    return values?.length === 1 ? values[0] : undefined;
  };
  const number = (name: string, maximum: number): number | undefined => {
    const text = one(name)?.toString('latin1') ?? '';
    const value = /^\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
    return value <= maximum ? value : undefined;
  };
  const infohash = one('info_hash');
  if (infohash?.length !== 20) return { refused: 'invalid info_hash' };
  const peerId = one('peer_id');
  if (peerId?.length !== 20) return { refused: 'invalid peer_id' };
  const port = number('port', 65535);
  if (!port) return { refused: 'invalid port' };
  const event = one('event')?.toString('latin1') ?? '';
  const parameters = [
    `info_hash=${escapeBytes(infohash)}`,
    `peer_id=${escapeBytes(peerId)}`,
    `port=${port}`,
    // Unknown means incomplete: a peer that is taken for a seed would be of no use to seeds.
    `left=${number('left', Number.MAX_VALUE) === 0 ? 0 : 1}`,
    `numwant=${Math.min(number('numwant', Number.MAX_VALUE) ?? 50, PEERS_LIMIT)}`,
    // BEP 23 lets a tracker answer in the compact form whatever was asked for.
    'compact=1',
    ...(EVENTS.includes(event) ? [`event=${event}`] : []),
  ];
  return { url: `/announce?${parameters.join('&')}` };
}

/** The infohashes that are asked for, as lower-case hex. */
export function parseScrape(query: string): { readonly infohashes: readonly string[] } | Refused {
  const hashes = parsePairs(query)?.get('info_hash') ?? [];
  if (hashes.length === 0 || hashes.length > SCRAPE_LIMIT) return { refused: 'give 1 to 64 info_hash' };
  if (hashes.some((hash) => hash.length !== 20)) return { refused: 'invalid info_hash' };
  return { infohashes: hashes.map((hash) => hash.toString('hex')) };
}
