import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type BencodeInput, encodeBencode } from '../../torrent/bencode.ts';
import { parseAnswer, TrackerError } from '../../torrent/tracker-answer.ts';

suite('tracker-answer', () => {
  test('compact peers are cut at 200, whole entries only', () => {
    const answer = parseAnswer(
      encodeBencode({ interval: 60, peers: Buffer.alloc(6 * 1000, 1), peers6: Buffer.alloc(18 * 1000, 1) }),
    );
    assert.equal((answer.peers as Buffer).length, 6 * 200);
    assert.equal((answer.peers6 as Buffer).length, 18 * 200);
    assert.throws(() => parseAnswer(encodeBencode({ peers: Buffer.alloc(7) })), {
      code: 'tracker-malformed',
    });
  });

  test('peers in the long form lose what is no peer', () => {
    const peers: BencodeInput[] = [
      { ip: '10.0.0.1', port: 1, 'peer id': 'x' },
      { ip: 'fe80::1', port: 2 },
      { ip: 5, port: 3 },
      { ip: '10.0.0.2', port: 'x' },
      7,
    ];
    assert.deepEqual(parseAnswer(encodeBencode({ interval: 60, peers })).peers, [
      { ip: '10.0.0.1', port: 1 },
      { ip: '[fe80::1]', port: 2 },
    ]);
  });

  test('a failure reason is quoted, but cannot paint the console', () => {
    const body = encodeBencode({ 'failure reason': 'go \x1b[31maway\n' });
    assert.throws(() => parseAnswer(body), {
      code: 'tracker-failure',
      message: 'Tracker refused: "go ?[31maway?"',
    });
  });

  test('unsorted keys are a habit of some trackers; everything else must be right', () => {
    assert.equal(parseAnswer(Buffer.from('d5:peers0:8:intervali60ee')).interval, 60);
    for (const body of ['', 'l-3:', 'le', 'i1e', '<html>', 'd8:intervali60e']) {
      assert.throws(() => parseAnswer(Buffer.from(body)), { code: 'tracker-malformed' });
    }
  });

  test('any bytes give an answer or a TrackerError', () => {
    const anyValue = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.constant<BencodeInput>([]),
      fc.constant<BencodeInput>({}),
    );
    const keys = [
      'interval',
      'min interval',
      'peers',
      'peers6',
      'tracker id',
      'failure reason',
      'warning message',
    ];
    const answer = fc.record(Object.fromEntries(keys.map((key) => [key, anyValue])), { requiredKeys: [] });
    fc.assert(
      fc.property(fc.uint8Array(), answer, (bytes, dictionary) => {
        for (const body of [Buffer.from(bytes), encodeBencode(dictionary as Record<string, BencodeInput>)]) {
          try {
            parseAnswer(body);
          } catch (error) {
            if (!(error instanceof TrackerError)) throw error;
          }
        }
      }),
    );
  });
});
