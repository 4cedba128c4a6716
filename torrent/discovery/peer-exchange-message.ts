/**
 * The message of peer exchange (BEP 11), which is also what our own agents tell each other quicker (`sb_peers`). Pure;
 * the reader takes what strangers send and never throws.
 */
import { type BencodeValue, decodeBencode, encodeBencode } from '../bencode.ts';
import type { Endpoint } from '../endpoint.ts';
import { type AddressFamily, packEndpoint, readCompact } from './compact-endpoints.ts';

/** Bits of `added.f`. The last is ours, used in `sb_peers` only. */
export const PEER_FLAG = { seed: 0x02, reachable: 0x10, origin: 0x80 } as const;
/** BEP 11: at most 50 added and 50 dropped, of both families together, the first message excepted. */
export const MOST_EXCHANGED = 50;
/** Taken from one message, of each family; more than this in a message is no mistake. */
const MOST_READ = 200;
const LONGEST_MESSAGE_BYTES = 12_288;

export interface ExchangedPeer {
  readonly endpoint: Endpoint;
  /** Bits of `PEER_FLAG` and others. */
  readonly flags: number;
}

export interface PeerExchange {
  readonly added: readonly ExchangedPeer[];
  readonly dropped: readonly Endpoint[];
}

export type ExchangeRefusal = 'bad-peer-exchange' | 'too-many-peers';

/** `payload` is the extended message without its id. Entries that nobody could dial are left out. */
export function parsePeerExchange(payload: Uint8Array): PeerExchange | ExchangeRefusal {
  if (payload.length > LONGEST_MESSAGE_BYTES) return 'too-many-peers';
  let root: BencodeValue;
  try {
    root = decodeBencode(payload, { maxDepth: 3, maxValues: 64, unsortedKeys: true });
  } catch {
    return 'bad-peer-exchange';
  }
  if (!(root instanceof Map)) return 'bad-peer-exchange';
  const added: ExchangedPeer[] = [];
  const dropped: Endpoint[] = [];
  const NONE = Buffer.alloc(0);
  for (const [suffix, family] of [
    ['', 'IPv4'],
    ['6', 'IPv6'],
  ] as const) {
    const lists = ['added', 'dropped'].map((name) => root.get(`${name}${suffix}`) ?? NONE);
    const flags = root.get(`added${suffix}.f`) ?? NONE;
    const [more, less] = lists.map((list) => (Buffer.isBuffer(list) ? readCompact(list, family) : undefined));
    if (!more || !less || !Buffer.isBuffer(flags)) return 'bad-peer-exchange';
    if (more.length > MOST_READ || less.length > MOST_READ) return 'too-many-peers';
    // Some clients leave the flags out; a wrong number of them means nothing.
    const told = flags.length === more.length;
    for (const [index, endpoint] of more.entries())
      if (endpoint) added.push({ endpoint, flags: told ? flags[index]! : 0 });
    for (const endpoint of less) if (endpoint) dropped.push(endpoint);
  }
  return { added, dropped };
}

/** Endpoints without a compact form are left out. */
export function formatPeerExchange({ added, dropped }: PeerExchange): Buffer {
  const lists = { IPv4: [] as Buffer[], IPv6: [] as Buffer[] };
  const flags = { IPv4: [] as number[], IPv6: [] as number[] };
  const gone = { IPv4: [] as Buffer[], IPv6: [] as Buffer[] };
  for (const { endpoint, flags: bits } of added) {
    const packed = packEndpoint(endpoint);
    if (!packed) continue;
    lists[packed.family].push(packed.bytes);
    flags[packed.family].push(bits);
  }
  for (const endpoint of dropped) {
    const packed = packEndpoint(endpoint);
    if (packed) gone[packed.family].push(packed.bytes);
  }
  const fields = (family: AddressFamily, suffix: string) => ({
    [`added${suffix}`]: Buffer.concat(lists[family]),
    [`added${suffix}.f`]: Buffer.from(flags[family]),
    [`dropped${suffix}`]: Buffer.concat(gone[family]),
  });
  return encodeBencode({ ...fields('IPv4', ''), ...fields('IPv6', '6') });
}
