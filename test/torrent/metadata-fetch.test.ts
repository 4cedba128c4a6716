/** Magnet start (BEP 9), from our own swarm and from peers that lie. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, type TestContext, test } from 'node:test';
import { decodeBencode, encodeBencode } from '../../torrent/bencode.ts';
import type { Endpoint } from '../../torrent/endpoint.ts';
import { fetchMetadata } from '../../torrent/metadata-fetch.ts';
import {
  type Content,
  emptyStore,
  endpointOf,
  frame,
  makeContent,
  RawPeer,
  seedStore,
  startSwarm,
} from './swarm-fixtures.ts';

let content: Content;
before(async () => {
  // Enough pieces for an info dictionary of several metadata pieces.
  content = await makeContent(2000 * 16_384, 16_384);
});
const signal = (timeoutMs = 10_000): AbortSignal => AbortSignal.timeout(timeoutMs);

test('the info dictionary comes byte for byte, by v1 and by v2 infohash', async (t) => {
  const { metainfo } = content;
  assert.ok(metainfo.infoBytes.length > 2 * 16_384);
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  const peers = [endpointOf(seed)];
  assert.deepEqual(
    await fetchMetadata({ infohash: metainfo.infohashV1!, peers, signal: signal() }),
    metainfo.infoBytes,
  );
});

test('a leecher serves it too', async (t) => {
  const { metainfo } = content;
  const leech = await startSwarm(t, { metainfo, store: emptyStore(content) });
  const peers = [endpointOf(leech)];
  assert.deepEqual(
    await fetchMetadata({ infohash: metainfo.infohashV1!, peers, signal: signal() }),
    metainfo.infoBytes,
  );
});

test('nobody there: the signal ends it', async () => {
  const peers = [{ host: '127.0.0.1', port: 1 }];
  await assert.rejects(fetchMetadata({ infohash: Buffer.alloc(20), peers, signal: signal(300) }), {
    name: 'TimeoutError',
  });
  await assert.rejects(
    fetchMetadata({ infohash: Buffer.alloc(20), signal: AbortSignal.abort(new Error('enough')) }),
    /enough/,
  );
});

/** Answers ut_metadata requests with what `answer` makes of them. */
async function metadataPeer(
  t: TestContext,
  size: number,
  answer: (piece: number) => Uint8Array[],
): Promise<Endpoint> {
  return await RawPeer.listen(t, (peer) => {
    peer.on('handshake', () => {
      peer.handshake(content.metainfo.wireInfohash);
      peer.write(
        frame(
          20,
          Buffer.concat([Buffer.from([0]), encodeBencode({ m: { ut_metadata: 3 }, metadata_size: size })]),
        ),
      );
    });
    peer.on('message', ({ id, body }) => {
      if (id !== 20 || body[0] !== 3) return;
      const request = decodeBencode(body.subarray(1)) as Map<string, number>;
      for (const payload of answer(request.get('piece')!)) {
        peer.write(frame(20, Buffer.concat([Buffer.from([1]), payload])));
      }
    });
  });
}

const data = (piece: number, size: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([encodeBencode({ msg_type: 1, piece, total_size: size }), bytes]);

/** Runs `fetchMetadata` against one bad peer, waits for `reason`, then gives it a good one. */
async function survives(t: TestContext, bad: Endpoint, expected: RegExp): Promise<void> {
  const { metainfo } = content;
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  const warnings: string[] = [];
  const told = Promise.withResolvers<void>();
  const onWarning = ({ code, message }: { code: string; message: string }): void => {
    warnings.push(`${code} ${message}`);
    if (expected.test(`${code} ${message}`)) told.resolve();
  };
  const onlyBad = new AbortController();
  t.after(() => onlyBad.abort());
  const attempt = fetchMetadata({
    infohash: metainfo.infohashV1!,
    peers: [bad],
    signal: onlyBad.signal,
    onWarning,
  });
  attempt.catch(() => {});
  const late = setTimeout(() => told.reject(new Error(`Not told: ${warnings.join('; ')}`)), 8000);
  await told.promise;
  clearTimeout(late);
  onlyBad.abort(new Error('seen'));
  await assert.rejects(attempt, /seen/);
  const both = await fetchMetadata({
    infohash: metainfo.infohashV1!,
    peers: [bad, endpointOf(seed)],
    signal: signal(),
  });
  assert.deepEqual(both, metainfo.infoBytes);
}

test('a dictionary with another hash is refused and its sender banned', async (t) => {
  const wrong = Buffer.from(content.metainfo.infoBytes);
  wrong[wrong.length - 10]! ^= 1;
  const bad = await metadataPeer(t, wrong.length, (piece) => [
    data(piece, wrong.length, wrong.subarray(piece * 16_384, (piece + 1) * 16_384)),
  ]);
  assert.notDeepEqual(createHash('sha1').update(wrong).digest(), content.metainfo.infohashV1);
  await survives(t, bad, /metadata-banned .*bad-metadata/);
});

test('bytes that are no dictionary at all', async (t) => {
  const bad = await metadataPeer(t, 100, (piece) => [data(piece, 100, Buffer.alloc(100, 'x'))]);
  await survives(t, bad, /metadata-banned .*bad-metadata/);
});

for (const [name, size, answer, expected] of [
  ['a piece out of range', 100, () => [data(7, 100, Buffer.alloc(100))], /unrequested-metadata/],
  ['a piece that is too short', 100, () => [data(0, 100, Buffer.alloc(99))], /bad-metadata-message/],
  ['a piece that is too long', 100, () => [data(0, 100, Buffer.alloc(101))], /bad-metadata-message/],
  ['another total size', 100, () => [data(0, 200, Buffer.alloc(100))], /bad-metadata-message/],
  ['rejects without end', 100, () => [encodeBencode({ msg_type: 2, piece: 0 })], /metadata-refused/],
  ['an unreasonable size', 50_000_000, () => [], /metadata-too-long|metadata-refused/],
  ['an absurd size', Number.MAX_SAFE_INTEGER, () => [], /no-metadata|metadata-refused/],
  ['no size', 0, () => [], /no-metadata|metadata-refused/],
  ['an empty message', 100, () => [Buffer.from('x')], /bad-metadata-message/],
] as [string, number, (piece: number) => Uint8Array[], RegExp][]) {
  test(`hostile metadata: ${name}`, async (t) => {
    await survives(t, await metadataPeer(t, size, answer), expected);
  });
}
