/** Answers of HTTP trackers (BEP 3, 7, 23), parsed by our bounded decoder before anything else looks at them. */
import { isIPv6 } from 'node:net';
import { type BencodeValue, decodeBencode } from './bencode.ts';

/** Largest tracker answer, in bytes: 200 peers in the long form are about 20 kB. */
export const ANSWER_LIMIT_BYTES = 256 * 1024;
/** Most peers taken from one answer. */
export const PEERS_LIMIT = 200;

export class TrackerError extends Error {
  readonly code: 'tracker-unreachable' | 'tracker-failure' | 'tracker-malformed' | 'tracker-unsupported';
  constructor(code: TrackerError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'TrackerError';
    this.code = code;
  }
}

/** An answer in the form that bittorrent-tracker's client takes as decoded: nothing in it can surprise it. */
export interface SafeAnswer {
  readonly interval: number | undefined;
  readonly 'tracker id': string | undefined;
  readonly peers: Buffer | readonly { readonly ip: string; readonly port: number }[];
  readonly peers6: Buffer | readonly { readonly ip: string; readonly port: number }[];
}

/** Text of a stranger, fit for a console. */
export const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);

function peersFrom(value: BencodeValue | undefined, entryBytes: number): SafeAnswer['peers'] {
  if (Buffer.isBuffer(value)) {
    if (value.length % entryBytes !== 0) {
      throw new TrackerError(
        'tracker-malformed',
        `Tracker sent ${value.length} bytes of peers of ${entryBytes} bytes each`,
      );
    }
    return value.subarray(0, PEERS_LIMIT * entryBytes);
  }
  if (!Array.isArray(value)) return [];
  return value.slice(0, PEERS_LIMIT).flatMap((entry) => {
    if (!(entry instanceof Map)) return [];
    const ip = entry.get('ip');
    const port = entry.get('port');
    if (!Buffer.isBuffer(ip) || ip.length > 253 || typeof port !== 'number') return [];
    const host = ip.toString('latin1');
    return [{ ip: isIPv6(host) ? `[${host}]` : host, port }];
  });
}

/** Throws `TrackerError`, also for an answer that is a `failure reason`. */
export function parseAnswer(body: Buffer): SafeAnswer {
  let answer: BencodeValue;
  try {
    answer = decodeBencode(body, { maxDepth: 4, maxValues: 8192, unsortedKeys: true });
  } catch (error) {
    throw new TrackerError(
      'tracker-malformed',
      `Tracker's answer is not bencode: ${(error as Error).message}`,
      error,
    );
  }
  if (!(answer instanceof Map))
    throw new TrackerError('tracker-malformed', "Tracker's answer is not a dictionary");
  const failure = answer.get('failure reason');
  if (failure !== undefined) {
    const reason = Buffer.isBuffer(failure) ? printable(failure.toString('latin1')) : 'unreadable';
    throw new TrackerError('tracker-failure', `Tracker refused: "${reason}"`);
  }
  const interval = answer.get('interval') ?? answer.get('min interval');
  const id = answer.get('tracker id');
  return {
    interval: typeof interval === 'number' && interval > 0 ? interval : undefined,
    'tracker id': Buffer.isBuffer(id) && id.length <= 256 ? id.toString('latin1') : undefined,
    peers: peersFrom(answer.get('peers'), 6),
    peers6: peersFrom(answer.get('peers6'), 18),
  };
}
