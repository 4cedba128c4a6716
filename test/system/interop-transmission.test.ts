/**
 * Transmission and we. Transmission 4 reads the hybrid torrent that we made; 3.00 (Debian 12) cannot read any hybrid
 * (transmission#1964) and gets a v1 torrent of the same files, whose files lie across pieces.
 *
 * It takes addresses in 127.0.0.0/8 from a tracker for a mistake, so our side makes the connections here.
 */
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createByLibtorrent } from '../../bench/peers/libtorrent.ts';
import { launchTransmission as launch, transmissionReads } from '../../bench/peers/transmission.ts';
import { makeImage, type TestImage, withTorrent, writePads } from './support/image.ts';
import { weFetchMetadata, weLeech, weSeed } from './support/interop.ts';
import { temporaryDirectory } from './support/temporary.ts';

/** Smaller than elsewhere: Transmission works in beats, ten seconds to the first unchoke, then a second to a few pieces. */
const LENGTHS = { vmlinuz: 700_001, 'initrd.img': 900_017, 'root.squashfs': 1_654_321 };

const PIECE_LENGTH = 2 ** 20;

async function readableImage(t: TestContext): Promise<TestImage> {
  const root = temporaryDirectory(t);
  const image = await makeImage(root, { lengths: LENGTHS, pieceLength: PIECE_LENGTH });
  if (transmissionReads(image.torrent)) {
    writePads(image);
    return image;
  }
  const target = join(root, 'v1.torrent');
  const source = join(image.directory, image.metainfo.name);
  createByLibtorrent({ source, target, kind: 'v1', pieceLength: PIECE_LENGTH, announce: [] });
  return withTorrent(image, target);
}

test('Transmission seeds, we leech', async (t) => weLeech(t, { launch, image: await readableImage(t) }));
test('we seed, Transmission leeches', async (t) => weSeed(t, { launch, image: await readableImage(t) }));
test('Transmission gives us the metadata for a magnet link', async (t) =>
  weFetchMetadata(t, { launch, image: await readableImage(t) }));
