import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Framer } from '../../../torrent/wire/framer.ts';
import { frame, words } from '../swarm-fixtures.ts';

const HANDSHAKE = Buffer.concat([Buffer.from('\x13BitTorrent protocol', 'latin1'), Buffer.alloc(48, 5)]);
const PIECES = 100;

interface Seen {
  readonly events: string[];
  readonly framer: Framer;
  land: (piece: number, begin: number, length: number) => Uint8Array | undefined;
}

function watch(): Seen {
  const events: string[] = [];
  const seen: Seen = {
    events,
    land: (_piece, _begin, length) => Buffer.alloc(length),
    framer: new Framer(
      {
        handshake: (bytes) => events.push(`handshake ${bytes.length}`),
        message: (message) => events.push(`message ${message.toString('hex')}`),
        keepAlive: () => events.push('keep-alive'),
        land: (piece, begin, length) => seen.land(piece, begin, length),
        landed: (piece, begin, bytes) =>
          events.push(`landed ${piece} ${begin} ${Buffer.from(bytes).toString('hex')}`),
        refused: (reason) => events.push(`refused ${reason}`),
      },
      PIECES,
    ),
  };
  return seen;
}

const message = fc.oneof(
  fc.constant(Buffer.alloc(4)),
  fc.constantFrom(0, 1, 2, 3).map((id) => frame(id)),
  fc.nat(PIECES - 1).map((piece) => frame(4, words(piece))),
  fc.constant(frame(5, Buffer.alloc(13, 0xf0))),
  fc
    .tuple(fc.nat(PIECES), fc.nat(60_000), fc.uint8Array({ minLength: 1, maxLength: 300 }))
    .map(([piece, begin, bytes]) => frame(7, Buffer.concat([words(piece, begin), bytes]))),
  fc.uint8Array({ minLength: 2, maxLength: 100 }).map((bytes) => frame(20, bytes)),
  fc.uint8Array({ maxLength: 50 }).map((bytes) => frame(99, bytes)),
);

test('however the bytes are cut, the frames are the same', () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      (messages, cuts) => {
        const bytes = Buffer.concat([HANDSHAKE, ...messages]);
        const whole = watch();
        whole.framer.push(bytes);
        const parts = watch();
        const reused = Buffer.alloc(200);
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          // One buffer for every read: nothing may be kept of it.
          const length = bytes.copy(reused, 0, at, at + cuts[cut % cuts.length]!);
          parts.framer.push(reused.subarray(0, length));
          reused.fill(0xee);
          at += length;
        }
        assert.deepEqual(parts.events, whole.events);
        assert.equal(whole.events.length, 1 + messages.length);
        assert.ok(!whole.events.some((event) => event.startsWith('refused')));
      },
    ),
  );
});

test('any bytes whatever: no exception, and silence after a refusal', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(fc.uint8Array({ maxLength: 200 })), (shaken, chunks) => {
      const { framer, events } = watch();
      if (shaken) framer.push(HANDSHAKE);
      for (const chunk of chunks) framer.push(Buffer.from(chunk));
      const refusal = events.findIndex((event) => event.startsWith('refused'));
      if (refusal >= 0) assert.equal(refusal, events.length - 1);
    }),
  );
});

test('payload is written where it belongs, and only there', () => {
  const seen = watch();
  const home = Buffer.alloc(100, 1);
  seen.land = (_piece, begin, length) => home.subarray(begin, begin + length);
  seen.framer.push(Buffer.concat([HANDSHAKE, frame(7, Buffer.concat([words(3, 10), Buffer.alloc(20, 9)]))]));
  assert.deepEqual(home, Buffer.concat([Buffer.alloc(10, 1), Buffer.alloc(20, 9), Buffer.alloc(70, 1)]));
});

test('after divert the place is not touched any more', () => {
  const seen = watch();
  const home = Buffer.alloc(20);
  seen.land = () => home;
  const bytes = Buffer.concat([HANDSHAKE, frame(7, Buffer.concat([words(3, 10), Buffer.alloc(20, 9)]))]);
  seen.framer.push(bytes.subarray(0, bytes.length - 10));
  seen.framer.divert();
  seen.framer.push(bytes.subarray(bytes.length - 10));
  assert.deepEqual(home, Buffer.concat([Buffer.alloc(10, 9), Buffer.alloc(10)]));
  assert.equal(seen.events.length, 2, 'the block is reported all the same');
  assert.equal(seen.events[1], `landed 3 10 ${'09'.repeat(20)}`, 'and whole');
});

test('a refused landing ends it', () => {
  const seen = watch();
  seen.land = () => undefined;
  seen.framer.push(
    Buffer.concat([HANDSHAKE, frame(7, Buffer.concat([words(3, 10), Buffer.alloc(20)])), frame(0)]),
  );
  assert.deepEqual(seen.events, ['handshake 67', 'refused unrequested-block']);
});

test('a long prefix is refused from its header alone', () => {
  const { framer, events } = watch();
  framer.push(Buffer.concat([HANDSHAKE, words(0x7fff_ffff), Buffer.from([5])]));
  assert.deepEqual(events, ['handshake 67', 'refused bad-length']);
});
