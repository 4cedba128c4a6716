import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keepsNewConnection, PeerBook } from '../../../torrent/policy/peer-book.ts';

const peer = (n: number, host = `10.0.0.${n}`) => ({ host, port: 6881 });
const random = () => 0;

test('an address is dialed once at a time', () => {
  const book = new PeerBook();
  book.add([peer(1), peer(2), peer(1)], 0);
  assert.deepEqual(book.take(10, 0), [peer(1), peer(2)]);
  assert.deepEqual(book.take(10, 0), []);
});

test('pauses double from one second to a minute', () => {
  const book = new PeerBook();
  book.add([peer(1)], 0);
  let now = 0;
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    assert.equal(book.take(1, now).length, 1);
    book.ended(peer(1), false, now, random);
    assert.equal(book.take(1, now + seconds * 1000 - 1).length, 0);
    now += seconds * 1000;
  }
});

test('a connection that was of use starts over', () => {
  const book = new PeerBook();
  book.add([peer(1)], 0);
  for (let now = 0; now < 5; now++) book.ended(peer(1), false, now, random);
  book.ended(peer(1), true, 10, random);
  assert.equal(book.take(1, 1010).length, 1);
});

test('near peers come first, and every fourth is another', () => {
  const near = [1, 2, 3, 4, 5, 6].map((n) => peer(n));
  const far = [1, 2, 3].map((n) => peer(n, `10.9.0.${n}`));
  const isNear = (host: string): boolean => host.startsWith('10.0.0.');
  const book = new PeerBook(isNear);
  book.add([...far, ...near], 0);
  const [one, two, three, four, five, six] = near;
  assert.deepEqual(book.take(8, 0), [one, two, three, far[0], four, five, six, far[1]]);
  assert.deepEqual(book.take(8, 0), [far[2]]);
});

test('a near peer that failed waits for those that did not', () => {
  const book = new PeerBook((host) => host === '10.0.0.1');
  book.add([peer(1)], 0);
  book.take(1, 0);
  book.ended(peer(1), false, 0, random);
  book.add([peer(2), peer(3)], 0);
  assert.deepEqual(book.take(3, 60_000), [peer(2), peer(3), peer(1)]);
});

test('our own address is never dialed again', () => {
  const book = new PeerBook();
  book.add([peer(1)], 0);
  book.take(1, 0);
  book.foundSelf(peer(1));
  book.ended(peer(1), false, 0, random);
  book.add([peer(1)], 1e9);
  assert.deepEqual(book.take(1, 1e9), []);
});

test('bans hold for the host and the id', () => {
  const book = new PeerBook();
  book.add([peer(1)], 0);
  book.ban(peer(1), 'aa');
  assert.deepEqual(book.take(1, 0), []);
  assert.ok(book.isBannedAddress({ host: '10.0.0.1', port: 1234 }));
  assert.ok(!book.isBannedAddress(peer(2)));
  assert.ok(book.isBannedId('aa'));
  assert.equal(book.banCount, 1);
});

test('on loopback only that port is banned', () => {
  const book = new PeerBook();
  book.ban({ host: '127.0.0.1', port: 1 }, undefined);
  assert.ok(book.isBannedAddress({ host: '127.0.0.1', port: 1 }));
  assert.ok(!book.isBannedAddress({ host: '127.0.0.1', port: 2 }));
});

test('endless addresses do not fill the memory', () => {
  const book = new PeerBook();
  for (let n = 0; n < 10_000; n++) book.add([{ host: `10.0.${n >> 8}.${n & 255}`, port: 1 + n }], 0);
  assert.equal(book.size, 2000);
});

test('of two connections both sides keep the same one', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{40}$/);
  fc.assert(
    fc.property(hex, hex, fc.boolean(), fc.boolean(), (a, b, aSeesItsOwnFirst, bSeesItsOwnFirst) => {
      fc.pre(a !== b);
      /** The connection that stays: 'a' if a dialed it. */
      const keeps = (own: string, other: string, ownFirst: boolean, self: 'a' | 'b', them: 'a' | 'b') => {
        const keepNew = keepsNewConnection({
          ownId: own,
          peerId: other,
          newIsOutgoing: !ownFirst,
          oldIsOutgoing: ownFirst,
        });
        return keepNew === ownFirst ? them : self;
      };
      assert.equal(keeps(a, b, aSeesItsOwnFirst, 'a', 'b'), keeps(b, a, bSeesItsOwnFirst, 'b', 'a'));
    }),
  );
});

test('many dead addresses do not keep a good one from being tried', () => {
  const book = new PeerBook();
  const dead = Array.from({ length: 200 }, (_, index) => ({ host: `10.9.0.${index}`, port: 1 }));
  book.add(dead, 0);
  let now = 0;
  // All were tried and failed; their pauses are over.
  for (let round = 0; round < 20; round++) {
    for (const endpoint of book.take(10, now)) book.ended(endpoint, false, now, () => 0);
  }
  now = 2000;
  const good = { host: '10.0.0.5', port: 6881 };
  book.add([good], now);
  assert.deepEqual(book.take(10, now)[0], good);
});

test('a full book forgets who failed most, for an address that may be better', () => {
  const book = new PeerBook();
  const junk = Array.from({ length: 2000 }, (_, index) => ({
    host: `10.${index >> 8}.${index & 255}.1`,
    port: 1,
  }));
  book.add(junk, 0);
  const good = { host: '192.168.0.5', port: 6881 };
  book.add([good], 0);
  assert.equal(book.size, 2000, 'nobody has failed yet: the newcomer is not believed');
  for (const endpoint of book.take(1, 0)) book.ended(endpoint, false, 0, () => 0);
  book.add([good], 0);
  assert.equal(book.size, 2000);
  assert.ok(book.take(2000, 0).some(({ host }) => host === good.host));
});
