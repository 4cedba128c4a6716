/** An origin's reveals against a room of peers that fetch what they are shown and pass it on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { type Reveal, type SeenPeer, SuperSeeding } from '../../../torrent/policy/super-seeding.ts';

const PIECES = 100;

class Lab {
  readonly peers = new Map<number, SeenPeer>();
  readonly shown: Reveal[] = [];
  now = 0;
  readonly #origin: SuperSeeding;
  #state = 1;

  constructor() {
    this.#origin = new SuperSeeding({
      pieceCount: PIECES,
      pieceLength: 2 ** 18,
      random: () => {
        this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
        return this.#state / 2 ** 32;
      },
    });
  }

  join(...keys: number[]): void {
    for (const key of keys) {
      this.peers.set(key, { key, pieces: new Bitset(PIECES) });
      this.#origin.joined(key, this.now);
    }
  }

  leave(key: number): void {
    const complete = this.peers.get(key)!.pieces.isFull;
    this.peers.delete(key);
    this.#origin.left(key, complete);
  }

  asked(key: number): void {
    this.#origin.asked(key, this.now);
  }

  decide(): Reveal[] {
    const copies = (piece: number): number =>
      [...this.peers.values()].filter(({ pieces }) => pieces.has(piece)).length;
    const reveals = this.#origin.decide({ peers: this.peers, copies, bytesPerSecond: 0 }, this.now);
    for (const { peer, piece } of reveals)
      assert.ok(!this.peers.get(peer)!.pieces.has(piece), 'nobody is shown what it has');
    this.shown.push(...reveals);
    return reveals;
  }
}

test('each piece is revealed once before any is revealed twice, and evenly', () => {
  const lab = new Lab();
  lab.join(1, 2, 3, 4);
  for (let round = 0; round < 40; round++) {
    for (const { peer, piece } of lab.decide()) lab.peers.get(peer)!.pieces.add(piece);
    lab.now += 10;
  }
  assert.equal(lab.shown.length, PIECES);
  assert.equal(new Set(lab.shown.map(({ piece }) => piece)).size, PIECES);
  for (const key of lab.peers.keys()) {
    const count = lab.shown.filter(({ peer }) => peer === key).length;
    assert.ok(count >= 20 && count <= 30, `${count} of ${PIECES} to peer ${key}`);
  }
});

test('only a few pieces are open at a time', () => {
  const lab = new Lab();
  lab.join(1, 2, 3);
  assert.equal(lab.decide().length, 12);
  assert.equal(lab.decide().length, 0);
  const [{ peer, piece }] = lab.shown as [Reveal];
  lab.peers.get(peer)!.pieces.add(piece);
  assert.deepEqual(
    lab.decide().map((reveal) => reveal.peer),
    [peer],
  );
});

test('a peer alone gets everything', () => {
  const lab = new Lab();
  lab.join(1);
  while (!lab.peers.get(1)!.pieces.isFull) {
    const reveals = lab.decide();
    assert.ok(reveals.length > 0);
    for (const { piece } of reveals) lab.peers.get(1)!.pieces.add(piece);
  }
});

test('what was shown to a peer that left or fell silent is shown to others', () => {
  const lab = new Lab();
  lab.join(1, 2);
  lab.decide();
  const lost = lab.shown.filter(({ peer }) => peer === 1).map(({ piece }) => piece);
  lab.leave(1);
  lab.join(3);
  const next = lab.decide().map(({ piece }) => piece);
  assert.deepEqual(next.toSorted(), lost.toSorted());

  lab.now += 1500;
  lab.asked(3);
  lab.now += 1500; // 2 has not asked for anything, 3 has
  const again = lab.decide();
  assert.ok(again.length > 0 && again.every(({ peer }) => peer === 3));
});

test('a silent peer is shown pieces again when it gives a sign of life', () => {
  const lab = new Lab();
  lab.join(1);
  lab.decide();
  lab.now += 3000;
  assert.deepEqual(lab.decide(), []);
  lab.asked(1);
  assert.ok(lab.decide().length > 0);
});

test('a piece that nobody has any more comes again, and a peer that gets nothing from others is helped', () => {
  const lab = new Lab();
  lab.join(1, 2);
  for (let round = 0; round < 40; round++) {
    for (const { peer, piece } of lab.decide()) lab.peers.get(peer)!.pieces.add(piece);
    lab.now += 10;
  }
  assert.deepEqual(lab.decide(), [], 'the rest they have from each other');
  const of1 = [...lab.peers.get(1)!.pieces];
  lab.leave(1);
  lab.now += 250;
  assert.ok(of1.includes(lab.decide()[0]!.piece));

  const stalled = new Lab();
  stalled.join(1, 2);
  for (const piece of Bitset.full(PIECES)) stalled.peers.get(1)!.pieces.add(piece);
  assert.deepEqual(stalled.decide(), [], 'the other has everything');
  stalled.now = 3000;
  assert.deepEqual(stalled.decide(), [], 'and may be slow');
  stalled.now = 4500;
  assert.equal(stalled.decide()[0]?.peer, 2);

  const late = new Lab();
  late.join(1);
  while (!late.peers.get(1)!.pieces.isFull)
    for (const { piece } of late.decide()) late.peers.get(1)!.pieces.add(piece);
  late.leave(1);
  late.join(2);
  late.now += 1000;
  assert.deepEqual(late.decide(), [], 'who finished and left is still there for others');
  late.now += 4000;
  assert.ok(late.decide().length > 0);
});

test('peers that claim nearly everything and give nothing delay the others by a moment only', () => {
  const lab = new Lab();
  lab.join(8, 9);
  for (const boaster of [8, 9])
    for (let piece = 1; piece < PIECES; piece++) lab.peers.get(boaster)!.pieces.add(piece);
  lab.join(1);
  const { pieces } = lab.peers.get(1)!;
  for (; !pieces.isFull && lab.now < 60_000; lab.now += 10)
    for (const { peer, piece } of lab.decide()) if (peer === 1) pieces.add(piece);
  assert.ok(lab.now < 5000, `it took ${lab.now} ms and got ${pieces.count} of ${PIECES} pieces`);
});
