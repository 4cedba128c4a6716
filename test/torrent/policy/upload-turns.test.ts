import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type UploadRequest, type UploadTarget, UploadTurns } from '../../../torrent/policy/upload-turns.ts';

const BLOCK = 16_384;
const always = (): boolean => true;
const block = (piece: number, index = 0): UploadRequest => ({ piece, begin: index * BLOCK, length: BLOCK });

class Peer implements UploadTarget {
  readonly name: string;
  pendingBytes = 0;
  constructor(name: string) {
    this.name = name;
  }
}

test('what was asked is handed out once, whatever happens in between', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('push', 'next', 'cancel', 'drop'), fc.nat(2), fc.nat(5)), {
        maxLength: 60,
      }),
      (steps) => {
        const turns = new UploadTurns<Peer>({ bytesPerSecond: 0, startedAt: 0 });
        const peers = [new Peer('a'), new Peer('b'), new Peer('c')];
        const owed = new Map<Peer, Set<number>>(peers.map((peer) => [peer, new Set()]));
        for (const [what, who, piece] of steps) {
          const peer = peers[who]!;
          const mine = owed.get(peer)!;
          if (what === 'push' && !mine.has(piece)) {
            turns.push(peer, block(piece));
            mine.add(piece);
          } else if (what === 'cancel') assert.equal(turns.cancel(peer, block(piece)), mine.delete(piece));
          else if (what === 'drop') {
            turns.drop(peer);
            mine.clear();
          } else if (what === 'next') {
            const turn = turns.next(0, always);
            if (turn.do === 'send') assert.ok(owed.get(turn.target)!.delete(turn.request.piece));
            else assert.equal(turns.waiting, 0);
          }
        }
      },
    ),
  );
});

test('who cannot take anything, or waits for a piece to be read, is passed over', () => {
  const turns = new UploadTurns<Peer>({ bytesPerSecond: 0, startedAt: 0 });
  const [full, reading, free] = [new Peer('full'), new Peer('reading'), new Peer('free')];
  full.pendingBytes = 10e6;
  for (const peer of [full, reading, free]) turns.push(peer, block(1));
  const notReading = (target: Peer): boolean => target !== reading;
  const turn = turns.next(0, notReading);
  assert.equal(turn.do === 'send' && turn.target, free);
  assert.equal(turns.next(0, notReading).do, 'rest');
  full.pendingBytes = 0;
  const later = turns.next(0, notReading);
  assert.equal(later.do === 'send' && later.target, full);
});

test('a rate limit hands out as much as it allows', () => {
  const turns = new UploadTurns<Peer>({ bytesPerSecond: 1e6, startedAt: 0 });
  const peer = new Peer('a');
  for (let index = 0; index < 1000; index++) turns.push(peer, block(index));
  let sent = 0;
  let now = 0;
  while (now < 5000) {
    const turn = turns.next(now, always);
    if (turn.do === 'send') sent += turn.request.length;
    else now += turn.do === 'wait' ? turn.ms : 5000;
  }
  assert.ok(Math.abs(sent - 5e6) < 0.05 * 5e6, String(sent));
});
