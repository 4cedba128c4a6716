import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Choker, type ChokerPeer } from '../../../torrent/policy/choker.ts';

class Lab {
  readonly choker = new Choker();
  readonly peers = new Map<number, { interested: boolean; unchoked: boolean; bytesPerSecond: number }>();
  seeding = false;
  slots = 4;
  #state = 1;
  readonly random = (): number => {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  };
  add(key: number, bytesPerSecond = 0): void {
    this.peers.set(key, { interested: true, unchoked: false, bytesPerSecond });
  }
  decide(now: number): void {
    const snapshot: ChokerPeer[] = [...this.peers].map(([key, peer]) => ({ key, ...peer }));
    const { slots, seeding, random } = this;
    const { choke, unchoke } = this.choker.decide(snapshot, { slots, seeding, random }, now);
    for (const key of choke) this.peers.get(key)!.unchoked = false;
    for (const key of unchoke) this.peers.get(key)!.unchoked = true;
  }
  get unchoked(): number[] {
    return [...this.peers].filter(([, peer]) => peer.unchoked).map(([key]) => key);
  }
}

test('while there are slots, whoever is interested is unchoked at once', () => {
  const lab = new Lab();
  for (const key of [1, 2, 3, 4]) {
    lab.add(key);
    lab.decide(key);
    assert.equal(lab.unchoked.length, key);
  }
});

test('who wants nothing is not unchoked', () => {
  const lab = new Lab();
  lab.add(1);
  lab.peers.get(1)!.interested = false;
  lab.decide(0);
  assert.deepEqual(lab.unchoked, []);
});

test('a leecher prefers those who give, and tries one stranger', () => {
  const lab = new Lab();
  for (let key = 1; key <= 10; key++) lab.add(key, key * 1000);
  lab.decide(0);
  assert.equal(lab.unchoked.length, 4);
  assert.ok([8, 9, 10].every((key) => lab.unchoked.includes(key)));
});

test('the optimistic slot goes round, so that everyone gets a chance', () => {
  const lab = new Lab();
  for (let key = 1; key <= 8; key++) lab.add(key, key * 1000);
  const seen = new Set<number>();
  for (let now = 0; now < 1_200_000; now += 1000) {
    lab.decide(now);
    assert.equal(lab.unchoked.length, 4);
    for (const key of lab.unchoked) seen.add(key);
  }
  assert.equal(seen.size, 8);
});

test('a seed serves everyone in turn', () => {
  const lab = new Lab();
  lab.seeding = true;
  for (let key = 1; key <= 12; key++) lab.add(key);
  const served = new Map<number, number>();
  for (let now = 0; now < 240_000; now += 1000) {
    lab.decide(now);
    assert.equal(lab.unchoked.length, 4);
    for (const key of lab.unchoked) served.set(key, (served.get(key) ?? 0) + 1);
  }
  assert.equal(served.size, 12);
  for (const [key, seconds] of served) assert.ok(seconds >= 40, `peer ${key} had ${seconds} of 240 s`);
});

test('between rounds nobody loses a slot', () => {
  const lab = new Lab();
  for (let key = 1; key <= 10; key++) lab.add(key, key);
  lab.decide(0);
  const before = lab.unchoked;
  for (let now = 100; now < 9900; now += 100) lab.decide(now);
  assert.deepEqual(lab.unchoked, before);
});

test('a slot that becomes free is given away at once', () => {
  const lab = new Lab();
  for (let key = 1; key <= 6; key++) lab.add(key, key);
  lab.decide(0);
  const gone = lab.unchoked[0]!;
  lab.peers.delete(gone);
  lab.choker.forget(gone);
  lab.decide(1000);
  assert.equal(lab.unchoked.length, 4);
});
