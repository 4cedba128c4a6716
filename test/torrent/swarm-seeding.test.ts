/** Seeds that hold a part, or that do not trust their own store. */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  emptyStore,
  endpointOf,
  eventOf,
  MemoryStore,
  makeContent,
  PIECE_LENGTH,
  RawPeer,
  seedStore,
  startSwarm,
  until,
} from './swarm-fixtures.ts';

const deadline = (): AbortSignal => AbortSignal.timeout(30_000);

test('two partial seeds together make a whole, fetch nothing and tell what they hold', async (t) => {
  const content = await makeContent();
  const { metainfo } = content;
  const all = Array.from({ length: metainfo.pieceCount }, (_, piece) => piece);
  const halves = [all.filter((piece) => piece % 2 === 0), all.filter((piece) => piece % 2 === 1)];
  const stores = halves.map(() => seedStore(content));
  const seeds = await Promise.all(
    halves.map((holds, index) => startSwarm(t, { metainfo, store: stores[index]!, holds })),
  );
  assert.deepEqual(
    seeds.map((seed) => seed.stats().pieces),
    halves.map(({ length }) => length),
  );
  assert.equal(
    seeds.reduce((sum, seed) => sum + seed.stats().bytes, 0),
    metainfo.payloadLength,
  );
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, peers: seeds.map((seed) => endpointOf(seed)) });
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(content.bytes));
  for (const seed of seeds) {
    const { uploaded, downloaded } = seed.stats();
    assert.ok(uploaded >= (metainfo.totalLength / metainfo.pieceCount) * 10, `it gave only ${uploaded}`);
    assert.deepEqual(downloaded, { peers: 0, seeder: 0, webseed: 0 });
  }
  assert.deepEqual(
    stores.flatMap(({ writes }) => writes),
    [],
  );
});

test('a partial seed that meets the whole leaves it alone', async (t) => {
  const content = await makeContent(4 * PIECE_LENGTH);
  const { metainfo } = content;
  const whole = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  const store = emptyStore(content);
  const part = await startSwarm(t, { metainfo, store, holds: [0], peers: [endpointOf(whole)] });
  await eventOf(part, 'peer-closed');
  assert.equal(whole.stats().uploaded, 0);
  assert.deepEqual(store.writes, []);
});

test('a damaged piece is never sent: it is withdrawn and comes from elsewhere', async (t) => {
  const content = await makeContent();
  const { metainfo } = content;
  const damaged = seedStore({ ...content, bytes: Buffer.from(content.bytes) });
  const BAD = 7;
  damaged.bytes[BAD * PIECE_LENGTH + 99]! ^= 0x10;
  const seed = await startSwarm(t, { metainfo, store: damaged, complete: true, verifyReads: true });
  const withdrawn = eventOf<{ piece: number; reason: string }>(seed, 'withdrawn');
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, peers: [endpointOf(seed)] });
  const { piece, reason } = await withdrawn;
  assert.equal(piece, BAD);
  assert.match(reason, /does not have the bytes that were signed/);
  await until(() => leech.stats().pieces === metainfo.pieceCount - 1, 'all but one piece');
  assert.equal(leech.stats().hashFailures, 0);
  assert.equal(seed.stats().pieces, metainfo.pieceCount - 1);

  const other = await startSwarm(t, { metainfo, store: seedStore(content), holds: [BAD] });
  leech.addPeers([endpointOf(other)]);
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(content.bytes));
  assert.equal(other.stats().uploaded, PIECE_LENGTH);
});

test('connections carry the type of service, whoever dialed', async (t) => {
  const { metainfo, bytes } = await makeContent(4 * PIECE_LENGTH);
  const marks: number[] = [];
  const { setTypeOfService } = Socket.prototype;
  t.mock.method(Socket.prototype, 'setTypeOfService', function record(this: Socket, value: number) {
    setTypeOfService.call(this, value);
    marks.push(this.getTypeOfService());
    return this;
  });
  // Lower effort (RFC 8622) is DSCP 1: four in the byte.
  const options = { metainfo, typeOfService: 4 };
  const seed = await startSwarm(t, { ...options, store: new MemoryStore(bytes), complete: true });
  const store = new MemoryStore(Buffer.alloc(bytes.length));
  const leech = await startSwarm(t, { ...options, store, peers: [endpointOf(seed)] });
  await leech.complete(deadline());
  assert.deepEqual(marks, [4, 4]);
});

test('an origin has a place for each machine of a room, a machine for fifty', async (t) => {
  const content = await makeContent();
  const { metainfo } = content;
  const CROWD = 70;
  for (const [role, places] of [
    ['origin', CROWD],
    ['peer', 50],
  ] as const) {
    const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true, role });
    for (let each = 0; each < CROWD; each++) RawPeer.dial(t, seed).handshake(metainfo.wireInfohash);
    await until(() => seed.stats().peers >= places, `${places} peers at ${role}`);
    await sleep(200);
    assert.equal(seed.stats().peers, places, role);
  }
});

test('a machine that has its peers takes a newcomer for one of them, by lot, and never more', async (t) => {
  const content = await makeContent();
  const { metainfo } = content;
  const PLACES = 14;
  for (const [lot, replaced] of [
    [0, 6],
    [0.99, 0],
  ] as const) {
    const store = emptyStore(content);
    const machine = await startSwarm(t, { metainfo, store, trackers: [] }, { random: () => lot });
    const reasons: string[] = [];
    machine.on('peer-closed', ({ reason }) => reasons.push(reason));
    for (let each = 0; each < PLACES + 6; each++) {
      RawPeer.dial(t, machine).handshake(metainfo.wireInfohash);
      await until(() => machine.stats().peers + reasons.length === each + 1, `newcomer ${each}`);
      assert.ok(machine.stats().peers <= PLACES);
    }
    assert.equal(reasons.filter((reason) => reason === 'gave-way').length, replaced, `lot ${lot}`);
    assert.equal(reasons.filter((reason) => reason === 'full').length, 6 - replaced, `lot ${lot}`);
  }
});
