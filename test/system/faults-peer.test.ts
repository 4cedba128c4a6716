/** Peers that lie, break off or die: the download goes on with those that do not. Each fault is counted. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { test } from 'node:test';
import { peakRssBytesOf } from '../../bench/measure.ts';
import { launchLibtorrent } from '../../bench/peers/libtorrent.ts';
import { launchOurs } from '../../bench/peers/ours.ts';
import { startHostilePeer } from './support/hostile-peer.ts';
import { startHostileProxy } from './support/hostile-proxy.ts';
import { assertCopied, imagePath, makeImage, type TestImage } from './support/image.ts';
import { ADDRESS, completed, DOWNLOAD_TIMEOUT_MS, endpointOf, leech, seed } from './support/swarm.ts';
import { closing, temporaryDirectory } from './support/temporary.ts';
import { until } from './support/until.ts';

/** For events that must come; tests run one after the other. */
const within = { signal: AbortSignal.timeout(5 * DOWNLOAD_TIMEOUT_MS) };

test('a peer that sends altered pieces is banned, and the download succeeds without it', async (t) => {
  const image = await makeImage(temporaryDirectory(t));
  const honest = await seed(t, image);
  const source = await seed(t, image);
  const proxy = closing(t, await startHostileProxy(endpointOf(source), 'alter'));
  const directory = temporaryDirectory(t);
  const swarm = await leech(t, image, directory, { peers: [proxy] });
  const failed = once(swarm, 'hash-failure', within);
  const [ban] = (await once(swarm, 'banned', within)) as [{ peer: string; reason: string }];
  assert.match(ban.peer, new RegExp(`^${proxy.host}:`));
  await failed;
  assert(proxy.injected() > 0, 'blocks were altered');
  assert.equal(swarm.stats().pieces, 0, 'not one altered piece was taken');

  swarm.addPeers([endpointOf(honest)]);
  await completed(swarm);
  assertCopied(image, directory);
  const stats = swarm.stats();
  assert.equal(stats.bannedPeers, 1, 'the honest seed was not banned');
  assert(stats.hashFailures > 0);
  const connections = proxy.connections();
  assert.equal(connections, 1, 'a banned peer is not called again');
});

test('an altering peer beside an honest one: it is found out, the honest one is not blamed', async (t) => {
  const image = await makeImage(temporaryDirectory(t), { pieceLength: 2 ** 20 });
  // The honest seed is the slower one: pieces get blocks of both, if the engine mixes them.
  const honest = await seed(t, image, { uploadBytesPerSecond: 4_000_000 });
  const source = await seed(t, image);
  const proxy = closing(t, await startHostileProxy(endpointOf(source), 'alter'));
  const directory = temporaryDirectory(t);
  const swarm = await leech(t, image, directory, { peers: [endpointOf(honest), proxy] });
  await completed(swarm);
  assertCopied(image, directory);
  assert(proxy.injected() > 0, 'blocks were altered');
  assert(swarm.stats().hashFailures > 0);
  assert(swarm.stats().downloaded.peers >= image.metainfo.payloadLength);
});

test('a peer that breaks off in the middle of a block costs nothing but the block', async (t) => {
  const image = await makeImage(temporaryDirectory(t));
  const source = await seed(t, image);
  const proxy = closing(t, await startHostileProxy(endpointOf(source), 'cut'));
  const directory = temporaryDirectory(t);
  const swarm = await leech(t, image, directory, { peers: [proxy] });
  await until(() => proxy.injected() > 0, DOWNLOAD_TIMEOUT_MS, 'a block was cut in two');
  swarm.addPeers([endpointOf(source)]);
  await completed(swarm);
  assertCopied(image, directory);
  assert.equal(swarm.stats().hashFailures, 0, 'half a block was never taken for a whole one');
});

test('the seeder is killed half-way, and a peer has just the rest', async (t) => {
  const image = await makeImage(temporaryDirectory(t));
  const seeder = closing(
    t,
    await launchOurs({
      mode: 'seed',
      torrent: image.torrent,
      directory: image.directory,
      address: ADDRESS,
      uploadBytesPerSecond: 4_000_000,
    }),
  );
  await seeder.begin([]);
  const directory = temporaryDirectory(t);
  const swarm = await leech(t, image, directory);
  const have = new Set<number>();
  const half = new Promise<void>((resolve) => {
    swarm.on('piece', (piece: number) => {
      if (have.add(piece).size >= image.metainfo.pieceCount / 2) resolve();
    });
  });
  const gone = once(swarm, 'peer-closed', within);
  swarm.addPeers([endpointOf(seeder)]);
  await half;
  process.kill(seeder.pid as number, 'SIGKILL');
  await gone;
  assert(have.size < image.metainfo.pieceCount, 'the seeder died before we had everything');

  // libtorrent checks the files it is given, and finds what we miss, and not what we have.
  const partial = temporaryDirectory(t);
  await cp(image.directory, partial, { recursive: true });
  zeroPieces(image, partial, have);
  const peer = closing(
    t,
    await launchLibtorrent({ mode: 'leech', torrent: image.torrent, directory: partial, address: ADDRESS }),
  );
  await peer.begin([]);
  swarm.addPeers([endpointOf(peer)]);
  await completed(swarm);
  assertCopied(image, directory);
  await peer.finished(DOWNLOAD_TIMEOUT_MS); // and what it missed, it has from us
});

test('an over-long length prefix is refused before memory is set aside for it', async (t) => {
  const root = temporaryDirectory(t);
  const image = await makeImage(root);
  let closedByUs = 0;
  let sent = 0;
  const flood = Buffer.alloc(2 ** 20, 0x5a);
  const prefix = Buffer.from([0x7f, 0xff, 0xff, 0xff, 20, 0]); // 2 GiB of an extended message
  const hostile = closing(
    t,
    await startHostilePeer(image.metainfo.wireInfohash, (socket) => {
      socket.on('close', () => closedByUs++);
      socket.write(prefix);
      const pour = (): void => {
        if (sent >= 512 * flood.length) return;
        socket.write(flood, (error) => {
          // A failed write calls back before the socket counts as destroyed, and so does each write after it.
          if (error) return;
          sent += flood.length;
          pour();
        });
      };
      pour();
    }),
  );
  const honest = await seed(t, image);
  const directory = temporaryDirectory(t);
  const client = closing(
    t,
    await launchOurs({ mode: 'leech', torrent: image.torrent, directory, address: ADDRESS }),
  );
  const before = peakRssBytesOf(client.pid as number);
  await client.begin([hostile]);
  await until(() => closedByUs > 0, DOWNLOAD_TIMEOUT_MS, 'the hostile peer was dropped');
  assert(hostile.greeted() > 0, 'after it was met');
  assert(sent < 32 * 2 ** 20, `it was dropped at once, not after ${sent} bytes`);

  await client.begin([endpointOf(honest)]);
  await client.finished(DOWNLOAD_TIMEOUT_MS);
  const grown = peakRssBytesOf(client.pid as number) - before;
  assert(grown < 96 * 2 ** 20, `the peak grew by ${grown} bytes`);
  assertCopied(image, directory);
});

/** Overwrites those pieces in the files below `directory`. */
function zeroPieces(image: TestImage, directory: string, pieces: ReadonlySet<number>): void {
  const { files, pieceLength } = image.metainfo;
  for (const { pad, path, offset, length } of files) {
    if (pad) continue;
    const file = openSync(imagePath(image, directory, path), 'r+');
    // In a hybrid every file begins with a piece.
    for (let at = 0; at < length; at += pieceLength)
      if (pieces.has((offset + at) / pieceLength))
        writeSync(file, Buffer.alloc(Math.min(pieceLength, length - at)), 0, undefined, at);
    closeSync(file);
  }
}
