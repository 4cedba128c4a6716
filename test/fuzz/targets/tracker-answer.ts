/** torrent/tracker-answer.ts: few peers, plausible numbers, printable complaints. */
import assert from 'node:assert/strict';
import { encodeBencode } from '../../../torrent/bencode.ts';
import { PEERS_LIMIT, parseAnswer, TrackerError } from '../../../torrent/tracker-answer.ts';
import { intervalMs } from '../../../torrent/tracker-schedule.ts';
import type { Target } from '../target.ts';

export const makeTarget = (): Target => ({
  sources: ['torrent/tracker-answer.ts', 'torrent/tracker-schedule.ts', 'torrent/bencode.ts'],
  seeds: [
    encodeBencode({
      interval: 900,
      peers: Buffer.alloc(12, 9),
      peers6: Buffer.alloc(18, 3),
      'tracker id': 'x',
    }),
    encodeBencode({
      'min interval': 60,
      peers: [{ ip: '10.0.0.1', port: 6881, 'peer id': Buffer.alloc(20) }],
    }),
    encodeBencode({
      peers: [
        { ip: 'fe80::1', port: 1 },
        { ip: 'h', port: 70_000 },
      ],
    }),
    encodeBencode({ 'failure reason': 'no such torrent' }),
  ],
  dictionary: [
    '8:intervali',
    '12:min intervali',
    '5:peers',
    '6:peers6',
    '2:ip',
    '4:porti',
    '14:failure reason',
    '10:tracker id',
    'd',
    'l',
    'e',
    '-1e',
  ],
  run(input) {
    try {
      const answer = parseAnswer(input);
      for (const [list, bytes] of [
        [answer.peers, 6],
        [answer.peers6, 18],
      ] as const) {
        if (Buffer.isBuffer(list)) assert.ok(list.length % bytes === 0 && list.length <= PEERS_LIMIT * bytes);
        else assert.ok(list.length <= PEERS_LIMIT);
      }
      const wait = intervalMs(answer.interval === undefined ? undefined : answer.interval * 1000);
      assert.ok(wait >= 5000 && wait <= 300_000, `the next announce in ${wait} ms`);
      return `accepted ${answer.interval !== undefined} ${Buffer.isBuffer(answer.peers)}`;
    } catch (error) {
      if (!(error instanceof TrackerError)) throw error;
      assert.ok(/^[\x20-\x7e]*$/.test(error.message) && error.message.length < 1000, error.message);
      return `refused: ${error.code}`;
    }
  },
});
