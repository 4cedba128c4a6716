/** libtorrent and we: on torrents that we made and on those that it made, each as seed and as leech. */
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createByLibtorrent, launchLibtorrent } from '../../bench/peers/libtorrent.ts';
import { makeImage, type TestImage, withTorrent } from './support/image.ts';
import { weFetchMetadata, weLeech, weSeed } from './support/interop.ts';
import { temporaryDirectory } from './support/temporary.ts';

const launch = launchLibtorrent;

/** The files of our image under a torrent that libtorrent made. */
async function libtorrentImage(t: TestContext, kind: 'v1' | 'v2' | 'hybrid'): Promise<TestImage> {
  const root = temporaryDirectory(t);
  const image = await makeImage(root);
  const target = join(root, `${kind}.torrent`);
  const source = join(image.directory, image.metainfo.name);
  createByLibtorrent({ source, target, kind, pieceLength: 2 ** 18, announce: [] });
  return withTorrent(image, target);
}

test('our hybrid torrent: libtorrent seeds, we leech', async (t) =>
  weLeech(t, { launch, image: await makeImage(temporaryDirectory(t)) }));
test('our hybrid torrent: we seed, libtorrent leeches', async (t) =>
  weSeed(t, { launch, image: await makeImage(temporaryDirectory(t)) }));
test('our hybrid torrent: libtorrent gives us the metadata for a magnet link', async (t) =>
  weFetchMetadata(t, { launch, image: await makeImage(temporaryDirectory(t)) }));

for (const kind of ['v1', 'hybrid'] as const) {
  test(`${kind} torrent by libtorrent: it seeds, we leech`, async (t) =>
    weLeech(t, { launch, image: await libtorrentImage(t, kind) }));
  test(`${kind} torrent by libtorrent: we seed, it leeches`, async (t) =>
    weSeed(t, { launch, image: await libtorrentImage(t, kind) }));
}

// The other way round does not work: in a torrent without v1, libtorrent 2.0 asks for whole blocks beyond the end of a
// file, and a request beyond the end of a piece gets a peer dropped here. Our own images are hybrids.
test('v2-only torrent by libtorrent: it seeds, we leech', async (t) =>
  weLeech(t, { launch, image: await libtorrentImage(t, 'v2') }));
