/**
 * The tracker server: HTTP queries and UDP datagrams through our guards into bittorrent-tracker. The input is a row of
 * lines; a line that begins with `u` is a datagram in hex, others are queries.
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { Tracker } from '../../../server/tracker/tracker.ts';
import { UdpGuard } from '../../../server/tracker/udp-guard.ts';
import { decodeBencode } from '../../../torrent/bencode.ts';
import type { Target } from '../target.ts';

const INFOHASH = 'ab'.repeat(20);
const escaped = INFOHASH.replace(/../g, (pair) => `%${pair}`);
const peerId = '-XX0001-abcdefghijkl';
const PROTOCOL_ID = '0000041727101980';
const SECRET = Buffer.alloc(32, 1);
const ADDRESS = '10.0.0.9';

/** The connection id that a guard of that secret gives at time 0. */
function connectionId(guard: UdpGuard): string {
  const verdict = guard.judge(Buffer.from(`${PROTOCOL_ID}0000000000000001`, 'hex'), ADDRESS, 0);
  assert.equal(verdict.kind, 'answer');
  return verdict.bytes.toString('hex', 8, 16);
}

const announce = (id: string): string =>
  `u${id}0000000100000002${INFOHASH}${Buffer.from(peerId).toString('hex')}${'00'.repeat(24)}00000002000000000000000000000032${'1ae1'}`;

export const makeTarget = (): Target => {
  const id = connectionId(new UdpGuard(SECRET));
  return {
    sources: [
      'server/tracker/',
      'node_modules/bittorrent-tracker/lib/server/',
      'node_modules/bittorrent-tracker/server.js',
    ],
    seeds: [
      `info_hash=${escaped}&peer_id=${peerId}&port=6881&left=0&numwant=50&event=started&compact=1`,
      `info_hash=${escaped}&peer_id=${peerId}&port=6882&left=5&event=stopped\ninfo_hash=${escaped}`,
      announce(id),
      `u${PROTOCOL_ID}0000000000000001`,
      `u${id}0000000200000002${INFOHASH}${'00'.repeat(20)}`,
    ].map((text) => Buffer.from(text)),
    dictionary: [
      '&',
      '=',
      '%',
      'info_hash=',
      '&info_hash=',
      '&port=',
      '&numwant=',
      '&left=',
      '&ip=',
      '&event=',
      '\n',
      escaped,
      INFOHASH,
      `u${id}`,
      '00000001',
      '00000002',
      'ffffffff',
    ],
    async run(input) {
      const tracker = new Tracker({
        infohashes: () => [INFOHASH],
        seederPort: () => undefined,
        warn: (message) => assert.fail(message),
      });
      const guard = new UdpGuard(SECRET);
      const words = new Set<string>();
      const answers: Buffer[] = [];
      const response = {
        setHeader: () => {},
        end: (body: unknown) => answers.push(Buffer.from(body as Buffer)),
      } as unknown as ServerResponse;
      const sent: Buffer[] = [];
      tracker.useUdpSocket({
        send: (bytes: Buffer) => sent.push(Buffer.from(bytes)),
        close: () => {},
      } as never);
      let queries = 0;
      for (const line of input.toString('latin1').split('\n').slice(0, 16)) {
        if (line.startsWith('u')) {
          const datagram = Buffer.from(line.slice(1), 'hex');
          const verdict = guard.judge(datagram, ADDRESS, 0);
          words.add(verdict.kind);
          if (verdict.kind === 'answer')
            assert.ok(verdict.bytes.length <= datagram.length, 'no amplification');
          if (verdict.kind === 'pass') {
            assert.equal(verdict.message.length, datagram.length);
            tracker.passUdp(verdict.message, { address: ADDRESS, port: 5, family: 'IPv4' });
          }
          continue;
        }
        queries++;
        tracker.announce(line, ADDRESS, response);
        tracker.scrape(line, ADDRESS, response);
      }
      // createSwarm and its callbacks come a tick later.
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(answers.length, 2 * queries, 'every query was answered');
      for (const answer of answers) {
        const value = decodeBencode(answer, { unsortedKeys: true });
        assert.ok(value instanceof Map && answer.length < 4096);
        words.add(String(value.get('failure reason') ?? [...value.keys()]));
      }
      for (const datagram of sent) {
        assert.ok(datagram.length < 1500);
        words.add(`udp ${datagram.readUInt32BE(0)}`);
      }
      tracker.prune();
      await tracker.close();
      return [...words].sort().join(', ');
    },
  };
};
