/**
 * Announcements of local service discovery (BEP 14): one datagram in the manner of HTTP, to everybody on the link.
 *
 * The parser takes what strangers send: it is strict, reads no more than one datagram and never throws.
 */

/** The groups of BEP 14. */
export const LOCAL_GROUP_V4 = '239.192.152.143';
export const LOCAL_GROUP_V6 = 'ff15::efc0:988f';
export const LOCAL_PORT = 6771;
/** Longer ones would be sent in fragments; BEP 14 wants several announcements then. */
export const LONGEST_ANNOUNCEMENT_BYTES = 1400;
const MOST_LINES = 64;
const MOST_INFOHASHES = 24;

export interface LocalAnnouncement {
  /** TCP port, 1 to 65535. The address is the datagram's: what `Host` says is the group. */
  readonly port: number;
  /** 40 hexadecimal digits each, in lower case. */
  readonly infohashes: readonly string[];
  /** Whoever sent it knows its own by this. */
  readonly cookie: string | undefined;
}

export type LocalRefusal =
  | 'too-long'
  | 'not-an-announcement'
  | 'too-many-lines'
  | 'bad-header'
  | 'bad-port'
  | 'bad-infohash'
  | 'too-many-infohashes'
  | 'no-port'
  | 'no-infohash';

/** One datagram's bytes. Header names are read in any case, as HTTP does; unknown headers are skipped. */
export function parseLocalAnnouncement(datagram: Uint8Array): LocalAnnouncement | LocalRefusal {
  if (datagram.length > LONGEST_ANNOUNCEMENT_BYTES) return 'too-long';
  const text = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length).toString('latin1');
  const [first, ...lines] = text.split('\r\n', MOST_LINES + 1);
  if (first !== 'BT-SEARCH * HTTP/1.1') return 'not-an-announcement';
  if (lines.length >= MOST_LINES) return 'too-many-lines';
  const infohashes = new Set<string>();
  let port: number | undefined;
  let cookie: string | undefined;
  for (const line of lines) {
    // The end; what may follow it is not ours to read.
    if (line === '') break;
    const header = /^([A-Za-z][A-Za-z0-9-]{0,31}):[ \t]*([\x21-\x7e]{0,200})[ \t]*$/.exec(line);
    if (!header) return 'bad-header';
    const [, name = '', value = ''] = header;
    switch (name.toLowerCase()) {
      case 'port':
        port = /^\d{1,5}$/.test(value) && port === undefined ? Number(value) : 0;
        if (port < 1 || port > 65_535) return 'bad-port';
        break;
      case 'infohash':
        if (!/^[0-9a-fA-F]{40}$/.test(value)) return 'bad-infohash';
        infohashes.add(value.toLowerCase());
        if (infohashes.size > MOST_INFOHASHES) return 'too-many-infohashes';
        break;
      case 'cookie':
        cookie = value;
    }
  }
  if (port === undefined) return 'no-port';
  return infohashes.size === 0 ? 'no-infohash' : { port, infohashes: [...infohashes], cookie };
}

/** The datagram for the group of `family`. */
export function formatLocalAnnouncement(
  { port, infohashes, cookie }: LocalAnnouncement,
  family: 'IPv4' | 'IPv6',
): Buffer {
  const host = family === 'IPv4' ? LOCAL_GROUP_V4 : `[${LOCAL_GROUP_V6}]`;
  return Buffer.from(
    [
      'BT-SEARCH * HTTP/1.1',
      `Host: ${host}:${LOCAL_PORT}`,
      `Port: ${port}`,
      ...infohashes.map((infohash) => `Infohash: ${infohash}`),
      ...(cookie === undefined ? [] : [`cookie: ${cookie}`]),
      // BEP 14 ends with two empty lines.
      '',
      '',
      '',
    ].join('\r\n'),
    'latin1',
  );
}
