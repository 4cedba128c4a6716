/**
 * The extended handshake (BEP 10): what we say of ourselves, and the strict reading of what a peer says. Only known keys
 * with sane values go on to bittorrent-protocol, which trusts what it is given.
 */
import { type BencodeDictionary, type BencodeValue, decodeBencode, encodeBencode } from '../bencode.ts';
import { LONGEST_REQUEST_BYTES } from './message-rules.ts';

/** Requests that a peer may have waiting here. */
export const REQUEST_QUEUE = 1024;
const CLIENT = 'swarmboot 0.1';
/** Ours alone: the sender is an origin, so its bytes come out of the server. Other clients ignore unknown keys. */
const ORIGIN_KEY = 'sb_origin';
/** Ours alone: the longest request that the sender answers, in bytes. Others may drop who asks for more than 16 KiB. */
const LONGEST_REQUEST_KEY = 'sb_request';
/** Ours alone: ut_pex without its pace. */
export const QUICK_EXCHANGE = 'sb_peers';
const USUAL_REQUEST_BYTES = 16_384;
const LONGEST_METADATA_BYTES = 64 * 2 ** 20;

export interface PeerDescription {
  readonly client: string;
  /** `reqq`, clamped to 1..2048; undefined if the peer did not say. */
  readonly requestQueue: number | undefined;
  readonly origin: boolean;
  /** In bytes, 16 KiB if the peer did not say, and no more than we answer ourselves. */
  readonly longestRequest: number;
  /** `p`: where the peer listens; 0 if it did not say. */
  readonly listenPort: number;
  /** `metadata_size`, in bytes, if sane. */
  readonly metadataSize: number | undefined;
  /** Message id of ut_metadata at the peer; 0: it does not speak it. */
  readonly metadataId: number;
  /** Message ids of ut_pex (BEP 11) and of its quick sibling between our own agents; 0: not spoken. */
  readonly exchangeId: number;
  readonly quickExchangeId: number;
  /** The same, re-encoded with known keys only. */
  readonly clean: Buffer;
}

/** Fields for `wire.extendedHandshake`; bittorrent-protocol adds `m`. */
export function describeSelf(options: { origin: boolean; listenPort: number }): Record<string, unknown> {
  return {
    v: CLIENT,
    reqq: REQUEST_QUEUE,
    [LONGEST_REQUEST_KEY]: LONGEST_REQUEST_BYTES,
    ...(options.listenPort > 0 ? { p: options.listenPort } : {}),
    ...(options.origin ? { [ORIGIN_KEY]: 1 } : {}),
  };
}

const integer = (value: BencodeValue | undefined, least: number, most: number): number | undefined =>
  typeof value === 'number' && value >= least && value <= most ? value : undefined;

/** undefined if `payload` is not one bencoded dictionary, or its `m` is not a dictionary of message ids. */
export function parseExtendedHandshake(payload: Uint8Array): PeerDescription | undefined {
  let root: BencodeValue;
  try {
    root = decodeBencode(payload, { maxDepth: 8, maxValues: 1000, unsortedKeys: true });
  } catch {
    return undefined;
  }
  if (!(root instanceof Map)) return undefined;
  const ids = root.get('m') ?? new Map();
  if (!(ids instanceof Map)) return undefined;
  for (const id of (ids as BencodeDictionary).values())
    if (integer(id, 0, 255) === undefined) return undefined;
  const client = root.get('v');
  const metadataId = integer(ids.get('ut_metadata'), 1, 255) ?? 0;
  const metadataSize = integer(root.get('metadata_size'), 1, LONGEST_METADATA_BYTES);
  const longestRequest = integer(root.get(LONGEST_REQUEST_KEY), USUAL_REQUEST_BYTES, Number.MAX_SAFE_INTEGER);
  const requestQueue = integer(root.get('reqq'), 1, Number.MAX_SAFE_INTEGER);
  return {
    client: Buffer.isBuffer(client) ? client.subarray(0, 64).toString('utf8') : '',
    requestQueue: requestQueue === undefined ? undefined : Math.min(requestQueue, 2048),
    origin: root.get(ORIGIN_KEY) === 1,
    longestRequest: Math.min(longestRequest ?? USUAL_REQUEST_BYTES, LONGEST_REQUEST_BYTES),
    listenPort: integer(root.get('p'), 1, 65_535) ?? 0,
    metadataSize,
    metadataId,
    exchangeId: integer(ids.get('ut_pex'), 1, 255) ?? 0,
    quickExchangeId: integer(ids.get(QUICK_EXCHANGE), 1, 255) ?? 0,
    clean: encodeBencode({
      m: metadataId > 0 ? { ut_metadata: metadataId } : {},
      metadata_size: metadataSize,
    }),
  };
}
