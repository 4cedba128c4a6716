/** Peer exchange (BEP 11) with libtorrent: it tells us of each other, and we tell it. Nobody has a byte of the image. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchLibtorrent } from '../../bench/peers/libtorrent.ts';
import { encodeBencode } from '../../torrent/index.ts';
import { frame, RawPeer } from '../torrent/swarm-fixtures.ts';
import { makeImage } from './support/image.ts';
import { ADDRESS, endpointOf, leech } from './support/swarm.ts';
import { closing, temporaryDirectory } from './support/temporary.ts';
import { until } from './support/until.ts';

/** libtorrent tells once a minute, the first time when its minute ticks. */
const EXCHANGE_TIMEOUT_MS = 90_000;

test('libtorrent tells two of us of each other', async (t) => {
  const image = await makeImage(temporaryDirectory(t));
  const { torrent } = image;
  const client = closing(
    t,
    await launchLibtorrent({ mode: 'leech', torrent, directory: temporaryDirectory(t), address: ADDRESS }),
  );
  await client.begin([]);
  const peers = [endpointOf(client)];
  const startedAt = performance.now();
  const first = await leech(t, image, temporaryDirectory(t), { peers });
  const second = await leech(t, image, temporaryDirectory(t), { peers });
  await until(
    () => first.stats().peers === 2 && second.stats().peers === 2,
    EXCHANGE_TIMEOUT_MS,
    'the two of us met through libtorrent',
  );
  t.diagnostic(`met after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
});

test('we tell libtorrent of somebody, and it dials there', async (t) => {
  const image = await makeImage(temporaryDirectory(t));
  const { torrent } = image;
  const ours = await leech(t, image, temporaryDirectory(t));
  const callers: string[] = [];
  const endpoint = await RawPeer.listen(t, (caller) =>
    caller.on('handshake', (handshake: Buffer) => callers.push(handshake.toString('latin1', 48, 51))),
  );
  const somebody = RawPeer.dial(t, ours);
  somebody.handshake(image.metainfo.wireInfohash);
  await somebody.message(20);
  const self = encodeBencode({ m: {}, p: endpoint.port });
  somebody.write(frame(15), frame(20, Buffer.concat([Buffer.from([0]), self])));
  const client = closing(
    t,
    await launchLibtorrent({ mode: 'leech', torrent, directory: temporaryDirectory(t), address: ADDRESS }),
  );
  const startedAt = performance.now();
  await client.begin([endpointOf(ours)]);
  await until(() => callers.length > 0, EXCHANGE_TIMEOUT_MS, 'libtorrent dialed who we told it of');
  t.diagnostic(`dialed after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  assert.equal(callers[0], '-LT');
});
