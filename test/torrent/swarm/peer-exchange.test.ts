/** Swarms on loopback that are told of one neighbour only, and raw peers that speak BEP 11. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { decodeBencode, encodeBencode } from '../../../torrent/bencode.ts';
import {
  formatPeerExchange,
  PEER_FLAG,
  parsePeerExchange,
} from '../../../torrent/discovery/peer-exchange-message.ts';
import {
  type Content,
  emptyStore,
  endpointOf,
  eventOf,
  frame,
  makeContent,
  RawPeer,
  seedStore,
  startSwarm,
  until,
} from '../swarm-fixtures.ts';

let content: Content;
before(async () => {
  content = await makeContent();
});

const connectionsOf = (swarm: { stats(): { peers: number } }): number => swarm.stats().peers;

test('A knows B, B knows C: A and C meet', async (t) => {
  const { metainfo } = content;
  const store = () => emptyStore(content);
  const c = await startSwarm(t, { metainfo, store: store(), peers: [] });
  const b = await startSwarm(t, { metainfo, store: store(), peers: [endpointOf(c)] });
  await until(() => connectionsOf(b) === 1, 'B met C');
  const startedAt = performance.now();
  const a = await startSwarm(t, { metainfo, store: store(), peers: [endpointOf(b)] });
  await until(() => connectionsOf(a) === 2 && connectionsOf(c) === 2, 'A met C');
  t.diagnostic(`A had met C after ${(performance.now() - startedAt).toFixed(0)} ms`);
});

/** A peer that says what it speaks, and under which ids. */
async function speaking(
  t: Parameters<typeof RawPeer.dial>[0],
  swarm: Parameters<typeof RawPeer.dial>[1],
  m: Record<string, number>,
  port: number,
) {
  const peer = RawPeer.dial(t, swarm);
  peer.handshake(content.metainfo.wireInfohash);
  const hello = await peer.message(20);
  const ids = (decodeBencode(hello.body.subarray(1)) as Map<string, Map<string, number>>).get('m')!;
  peer.write(frame(15), frame(20, Buffer.concat([Buffer.from([0]), encodeBencode({ m, p: port })])));
  const told = (): ReturnType<typeof parsePeerExchange>[] =>
    peer.received
      .filter(({ id, body }) => id === 20 && body[0] === Object.values(m)[0])
      .map(({ body }) => parsePeerExchange(body.subarray(1)));
  return { peer, ids, told };
}

test('a client that speaks ut_pex is told by it, under its own id', async (t) => {
  const swarm = await startSwarm(t, { metainfo: content.metainfo, store: emptyStore(content), peers: [] });
  const first = await speaking(t, swarm, { ut_pex: 77 }, 1111);
  await speaking(t, swarm, {}, 2222);
  await until(() => first.told().length > 0, 'told of the second');
  assert.deepEqual(first.told(), [
    { added: [{ endpoint: { host: '127.0.0.1', port: 2222 }, flags: 0 }], dropped: [] },
  ]);
});

test('who is told of by ut_pex is dialed, unless both have everything', async (t) => {
  const { metainfo } = content;
  for (const [complete, flags, dialed] of [
    [false, PEER_FLAG.seed, true],
    [true, 0, true],
    [true, PEER_FLAG.seed, false],
  ] as const) {
    const swarm = await startSwarm(t, {
      metainfo,
      store: complete ? seedStore(content) : emptyStore(content),
      complete,
      peers: [],
    });
    const { peer, ids } = await speaking(t, swarm, { ut_pex: 1 }, 3333);
    let calls = 0;
    const endpoint = await RawPeer.listen(t, () => calls++);
    const tell = (flagsTold: number, at = endpoint): void =>
      peer.write(
        frame(
          20,
          Buffer.concat([
            Buffer.from([ids.get('ut_pex')!]),
            formatPeerExchange({ added: [{ endpoint: at, flags: flagsTold }], dropped: [] }),
          ]),
        ),
      );
    tell(flags);
    if (dialed) await until(() => calls > 0, `dialed (${complete}, ${flags})`);
    else {
      // What is told next is dialed, so this has been read.
      let later = 0;
      tell(0, await RawPeer.listen(t, () => later++));
      await until(() => later > 0, 'the next is dialed');
      assert.equal(calls, 0);
    }
  }
});

test('a message that is none ends the connection', async (t) => {
  const swarm = await startSwarm(t, { metainfo: content.metainfo, store: emptyStore(content), peers: [] });
  const { peer, ids } = await speaking(t, swarm, { ut_pex: 1 }, 4444);
  const closed = eventOf<{ reason: string }>(swarm, 'peer-closed');
  peer.write(
    frame(20, Buffer.concat([Buffer.from([ids.get('ut_pex')!]), Buffer.from('d5:added7:1234567e')])),
  );
  assert.equal((await closed).reason, 'bad-peer-exchange');
});

test('the peers of a private torrent come from its trackers alone (BEP 27)', async (t) => {
  const { metainfo } = content;
  const info = decodeBencode(metainfo.infoBytes) as Map<string, never>;
  const infoBytes = encodeBencode({ ...Object.fromEntries(info), private: 1 });
  const swarm = await startSwarm(t, {
    metainfo: { ...metainfo, infoBytes },
    store: emptyStore(content),
    peers: [],
  });
  const { ids } = await speaking(t, swarm, { ut_pex: 1 }, 5555);
  assert.deepEqual([...ids.keys()], ['ut_metadata']);
});
