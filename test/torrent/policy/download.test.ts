/** The download policy against a model of the world: many peers, any order of events, no sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { claimForWebseed } from '../../../torrent/policy/claim.ts';
import { Download } from '../../../torrent/policy/download.ts';
import type { DownloadEvent } from '../../../torrent/policy/download-events.ts';
import { BLOCK_BYTES } from '../../../torrent/policy/pipeline.ts';
import { keyOf, LAST, Lab, lengthOf, PIECE, PIECES } from './download-lab.ts';

test('one seed: everything is asked for exactly once', () => {
  const lab = new Lab();
  lab.join(1, Bitset.full(PIECES));
  lab.finish();
  assert.equal(lab.download.received.peers, (PIECES - 1) * PIECE + LAST);
  assert.equal(lab.download.received.wasted, 0);
  assert.deepEqual(lab.dropped, [{ do: 'drop', peer: 1, reason: 'both-complete', ban: false }]);
});

test('bytes of an origin are counted as such', () => {
  const lab = new Lab();
  lab.join(1, Bitset.full(PIECES), { origin: true });
  lab.finish();
  assert.equal(lab.download.received.origin, (PIECES - 1) * PIECE + LAST);
});

test('nothing is asked while choked, except what is allowed', () => {
  const lab = new Lab();
  lab.join(1, Bitset.full(PIECES));
  lab.apply({ type: 'choked', peer: 1 });
  for (const [key, request] of [...lab.owed.get(1)!]) {
    lab.owed.get(1)!.delete(key);
    lab.apply({ type: 'rejected', peer: 1, ...request });
  }
  assert.equal(lab.outstanding(1), 0);
  lab.apply({ type: 'allowed', peer: 1, piece: 3 });
  assert.deepEqual([...new Set([...lab.owed.get(1)!.values()].map(({ piece }) => piece))], [3]);
});

test('peers that promise everything and send nothing, or a trickle, do not keep a machine from the origin', () => {
  for (const trickle of [false, true]) {
    const lab = new Lab();
    lab.join(1, Bitset.full(PIECES));
    lab.join(2, Bitset.full(PIECES), { origin: true });
    /** The origin answers at once, the other peer with a block a second, or never. */
    for (; lab.now <= 4000; lab.now += 100) {
      lab.apply({ type: 'tick' });
      const slow = trickle && lab.now % 1000 === 900 ? [...(lab.owed.get(1) ?? [])].slice(0, 1) : [];
      for (const [peer, [key, request]] of [
        ...slow.map((entry) => [1, entry] as const),
        ...[...(lab.owed.get(2) ?? [])].map((entry) => [2, entry] as const),
      ]) {
        if (!lab.owed.get(peer)?.delete(key)) continue;
        const { piece, begin, length } = request;
        lab.apply({ type: 'block', peer, piece, begin, bytes: new Uint8Array(length) });
      }
      for (const piece of lab.verifying.splice(0))
        lab.apply({ type: 'verified', piece, bytes: new Uint8Array(lengthOf(piece)) });
    }
    const { origin } = lab.download.received;
    assert.ok(
      origin >= (PIECES - 3) * PIECE,
      `the origin was asked for ${origin} bytes in 4 s, trickle: ${trickle}`,
    );
  }
});

test('a peer that rejects everything is let go, one that gives now and then is not', () => {
  const lab = new Lab();
  lab.join(1, Bitset.full(PIECES));
  let rejects = 0;
  for (; rejects < 1000 && lab.dropped.length === 0; lab.now += 500) {
    lab.apply({ type: 'tick' });
    for (const [key, request] of [...(lab.owed.get(1) ?? [])]) {
      if (!lab.owed.get(1)?.delete(key)) continue;
      lab.apply({ type: 'rejected', peer: 1, ...request });
      rejects++;
    }
  }
  assert.deepEqual(
    lab.dropped.map(({ peer, reason, ban }) => [peer, reason, ban]),
    [[1, 'refuses-everything', false]],
  );
  assert.equal(rejects, 256);
  lab.join(2, Bitset.full(PIECES));
  lab.finish();
});

test('rejects are not answered with the same request', () => {
  const lab = new Lab();
  lab.join(1, [5]);
  const [first] = lab.owed.get(1)!.values();
  lab.owed.get(1)!.delete(keyOf(first!));
  lab.apply({ type: 'rejected', peer: 1, ...first! });
  assert.ok(!lab.owed.get(1)!.has(keyOf(first!)));
  lab.now = 1100;
  for (const key of [...lab.owed.get(1)!.keys()]) {
    lab.owed.get(1)!.delete(key);
    lab.apply({
      type: 'block',
      peer: 1,
      piece: 5,
      begin: Number(key.split('/')[1]),
      bytes: Buffer.alloc(BLOCK_BYTES),
    });
  }
  lab.apply({ type: 'tick' });
  assert.ok(lab.owed.get(1)!.has(keyOf(first!)), 'asked again after the pause');
});

test('one source of a bad piece is banned', () => {
  const lab = new Lab();
  lab.join(1, [5]);
  while (lab.answer(1));
  lab.settle('refuted');
  assert.deepEqual(lab.dropped, [{ do: 'drop', peer: 1, reason: 'bad-data', ban: true }]);
  assert.equal(lab.download.active.size, 0);
});

test('two machines fetch different pieces from the origin', () => {
  const [a, b] = [new Lab(), new Lab()];
  const other = (lab: Lab, id: number) => {
    lab.join(id, []);
    lab.join(100, Bitset.full(PIECES), { origin: true });
  };
  other(a, 2);
  other(b, 2);
  const first = (lab: Lab) => new Set([...lab.owed.get(100)!.values()].map(({ piece }) => piece));
  // The same peer id on both sides here, so both own the same pieces; what counts is that each asks only its own.
  for (const piece of first(a)) assert.ok(a.download.ownership.isMine(piece));
  assert.ok(first(b).size > 0);
});

test('what falls to another machine is left to it for a moment', () => {
  const lab = new Lab();
  lab.join(2, []);
  const foreign = Array.from({ length: PIECES }, (_, piece) => piece).filter(
    (piece) => !lab.download.ownership.isMine(piece),
  );
  assert.ok(foreign.length > 0 && foreign.length < PIECES);
  lab.join(100, Bitset.full(PIECES), { origin: true });
  while (lab.answer(100)) lab.settle();
  assert.equal(lab.download.have.count, PIECES - foreign.length);
  assert.equal(lab.outstanding(100), 0);
  lab.now = 500;
  lab.apply({ type: 'tick' });
  assert.ok(lab.outstanding(100) > 0);
});

test('what an origin shows to this machine alone is asked for at once and as a whole', () => {
  const lab = new Lab();
  lab.join(2, []);
  const [foreign] = Array.from({ length: PIECES }, (_, piece) => piece).filter(
    (piece) => !lab.download.ownership.isMine(piece),
  );
  lab.join(100, [], { origin: true });
  assert.equal(lab.outstanding(100), 0);
  lab.apply({ type: 'have', peer: 100, piece: foreign! });
  assert.equal(lab.outstanding(100), 4);
});

test('a peer that is known to be quick and falls silent is done without sooner than a new one', () => {
  const silentFor = (answers: number): number => {
    const lab = new Lab();
    lab.join(1, [0, 1, 2]);
    for (let round = 0; round < answers; round++) {
      lab.now += 100;
      lab.answer(1);
      lab.apply({ type: 'tick' });
    }
    const since = lab.now;
    while (!lab.download.peers.get(1)!.snubbed) {
      lab.now += 50;
      lab.apply({ type: 'tick' });
    }
    return lab.now - since;
  };
  assert.equal(silentFor(0), 2500);
  assert.equal(silentFor(6), 2000);
});

test('whatever peers do, invariants hold and an honest seed completes the download', () => {
  const step = fc.record({
    what: fc.constantFrom(
      'join',
      'leave',
      'answer',
      'answer',
      'answer',
      'have',
      'choke',
      'unchoke',
      'settle',
      'refute',
      'wait',
      'reject',
      'webseed',
    ),
    peer: fc.integer({ min: 1, max: 5 }),
    piece: fc.nat(PIECES - 1),
    pieces: fc.array(fc.nat(PIECES - 1), { maxLength: PIECES }),
    fast: fc.boolean(),
    blocks: fc.integer({ min: 1, max: 5 }),
    ms: fc.integer({ min: 1, max: 6000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const lab = new Lab(4);
      for (const { what, peer, piece, pieces, fast, blocks, ms } of steps) {
        const held = lab.owed.get(peer);
        lab.download.peers.get(peer)?.burst.add(ms * 5000, lab.now); // now and then one is fast
        if (what === 'join' && !held) lab.join(peer, pieces, { fast, origin: peer === 5, blocks });
        else if (what === 'settle') lab.settle();
        else if (what === 'refute') lab.settle('refuted');
        else if (what === 'wait') {
          lab.now += ms;
          lab.apply({ type: 'tick' });
        } else if (what === 'webseed') {
          const circumstances = { startedAt: -60_000, connectedPeers: lab.owed.size, peersExpected: true };
          const claimed = claimForWebseed(lab.download, circumstances, lab.now);
          if (claimed >= 0)
            lab.apply({
              type: ms % 2 ? 'abandoned' : 'verified',
              piece: claimed,
              bytes: Buffer.alloc(lengthOf(claimed), claimed),
            });
        } else if (!held) continue;
        else if (what === 'leave') lab.leave(peer);
        else if (what === 'answer') lab.answer(peer);
        else if (what === 'have') lab.apply({ type: 'have', peer, piece });
        else if (what === 'unchoke') lab.apply({ type: 'unchoked', peer });
        else if (what === 'choke') {
          lab.apply({ type: 'choked', peer });
          if (!lab.download.peers.get(peer)?.fast) held.clear();
        } else if (what === 'reject') lab.reject(peer);
      }
      for (const peer of [...lab.owed.keys()]) lab.leave(peer);
      assert.equal(lab.download.availability.of(0), 0);
      lab.settle();
      lab.join(99, Bitset.full(PIECES));
      lab.finish();
    }),
    { numRuns: 300 },
  );
});

test('a fast peer that takes long requests is asked for several blocks at once', () => {
  const lab = new Lab();
  lab.join(1, Bitset.full(PIECES), { blocks: 3 });
  assert.ok(
    [...lab.owed.get(1)!.values()].every(({ length }) => length <= BLOCK_BYTES),
    'slow until it is seen',
  );
  lab.now = 100;
  lab.download.peers.get(1)!.burst.add(2e6, lab.now);
  const lengths = new Set<number>();
  while (lab.answer(1)) {
    lab.settle();
    for (const { length } of lab.owed.get(1)?.values() ?? []) lengths.add(length);
  }
  assert.ok(lengths.has(3 * BLOCK_BYTES));
  assert.ok(lab.download.have.isFull);
  assert.equal(lab.download.received.peers, (PIECES - 1) * PIECE + LAST);
});

test('a small window is refilled by the quarter, a large one, that of a fast peer, by the half', () => {
  const BLOCKS = 64;
  const download = new Download({
    pieceCount: 32,
    pieceLength: BLOCKS * BLOCK_BYTES,
    lengthOf: () => BLOCKS * BLOCK_BYTES,
    have: new Bitset(32),
    mostActive: 32,
    ownPeerId: Buffer.alloc(20),
    random: () => 0,
    requestTimeoutMs: 5000,
    startedAt: 0,
  });
  const requests: { piece: number; begin: number; length: number }[] = [];
  /** How many blocks were asked for. */
  const apply = (event: DownloadEvent): number => {
    const before = requests.length;
    for (const command of download.apply(event, 0)) if (command.do === 'request') requests.push(command);
    return requests.length - before;
  };
  const peer = 1;
  apply({ type: 'joined', peer, id: Buffer.alloc(20, 1), fast: true });
  apply({ type: 'described', peer, origin: false, requestQueue: 512, longestRequest: BLOCK_BYTES });
  apply({ type: 'pieces', peer, pieces: Bitset.full(32) });
  apply({ type: 'unchoked', peer });
  const { outstanding, window } = download.peers.get(peer)!;
  const refills: number[] = [];
  // No block takes any time: the window grows by each of them.
  for (const { piece, begin, length } of requests) {
    const asked = apply({ type: 'block', peer, piece, begin, bytes: Buffer.alloc(length) });
    if (asked > 0) refills.push(asked / window.depth({ requestQueue: 512, snubbed: false }));
    if (outstanding.size >= 400) break;
  }
  const large = refills.findIndex((share, at) => at > 0 && share >= 1 / 2);
  assert.ok(large > 10, refills.join(' '));
  // The first one comes when the window has only begun to grow.
  assert.ok(
    refills.slice(4, large).every((share) => share < 1 / 3),
    refills.join(' '),
  );
  assert.ok(
    refills.slice(large).every((share) => share >= 1 / 2),
    refills.join(' '),
  );
});

test('a long payload is taken only from who was asked for all of it', () => {
  const lab = new Lab();
  lab.join(1, Bitset.full(PIECES));
  lab.join(2, Bitset.full(PIECES), { blocks: 4 });
  for (const peer of [1, 2]) {
    // Of a piece that is asked for from its beginning.
    const { piece } = [...lab.owed.get(peer)!.values()].find(({ begin }) => begin === 0)!;
    assert.equal(
      lab.download.standing(peer, piece, 0, 2 * BLOCK_BYTES),
      peer === 1 ? 'unrequested' : 'needed',
    );
    assert.equal(lab.download.standing(peer, piece, 0, BLOCK_BYTES + 1), 'unrequested');
    assert.equal(lab.download.standing(peer, piece, 3 * BLOCK_BYTES, 2 * BLOCK_BYTES), 'unrequested');
  }
});

test('a thousand peers in a moment', () => {
  const lab = new Lab();
  for (let peer = 1; peer <= 1000; peer++) lab.join(peer, [peer % PIECES]);
  lab.finish();
});
