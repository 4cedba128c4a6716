/**
 * Transmission and we. Debian 13's Transmission 4 reads the hybrid torrent that we made and is tried on every machine.
 * Debian 12's 3.00 cannot read any hybrid (transmission#1964) and gets a v1 torrent of the same files, whose files
 * lie across pieces.
 *
 * It takes addresses in 127.0.0.0/8 from a tracker for a mistake, so our side makes the connections here.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, suite, type TestContext, test } from 'node:test';
import type { LaunchClient } from '../../bench/peers/client.ts';
import { createByLibtorrent } from '../../bench/peers/libtorrent.ts';
import { type CommandOf, launchTransmission, transmissionReads } from '../../bench/peers/transmission.ts';
import { makeImage, type TestImage, withTorrent, writePads } from './support/image.ts';
import { weFetchMetadata, weLeech, weSeed } from './support/interop.ts';
import { newerTransmission } from './support/newer-transmission.ts';
import { temporaryDirectory } from './support/temporary.ts';

/** Smaller than elsewhere: Transmission works in beats, ten seconds to the first unchoke, then a second to a few pieces. */
const LENGTHS = { vmlinuz: 700_001, 'initrd.img': 900_017, 'root.squashfs': 1_654_321 };

const PIECE_LENGTH = 2 ** 20;

async function hybridImage(t: TestContext): Promise<TestImage> {
  const image = await makeImage(temporaryDirectory(t), { lengths: LENGTHS, pieceLength: PIECE_LENGTH });
  writePads(image);
  return image;
}

// Side by side: Transmission mostly waits for its own beat.
suite('our hybrid torrent', { concurrency: true }, () => {
  let command: CommandOf;
  const launch: LaunchClient = (options) => launchTransmission(options, command);

  before(async () => {
    command = await newerTransmission();
  });

  test('Transmission 4 reads it', async (t) => {
    const image = await hybridImage(t);
    assert.ok(image.metainfo.infohashV1 && image.metainfo.infohashV2, 'the torrent is a hybrid');
    assert.ok(transmissionReads(image.torrent, command));
  });
  test('Transmission 4 seeds, we leech', async (t) => weLeech(t, { launch, image: await hybridImage(t) }));
  test('we seed, Transmission 4 leeches', async (t) => weSeed(t, { launch, image: await hybridImage(t) }));
  test('Transmission 4 gives us the metadata for a magnet link', async (t) =>
    weFetchMetadata(t, { launch, image: await hybridImage(t) }));
});

suite("a v1 torrent of libtorrent's, with this machine's Transmission", { concurrency: true }, () => {
  const launch: LaunchClient = (options) => launchTransmission(options);

  async function v1Image(t: TestContext): Promise<TestImage> {
    const root = temporaryDirectory(t);
    const image = await makeImage(root, { lengths: LENGTHS, pieceLength: PIECE_LENGTH });
    const target = join(root, 'v1.torrent');
    const source = join(image.directory, image.metainfo.name);
    createByLibtorrent({ source, target, kind: 'v1', pieceLength: PIECE_LENGTH, announce: [] });
    return withTorrent(image, target);
  }

  test('Transmission seeds, we leech', async (t) => weLeech(t, { launch, image: await v1Image(t) }));
  test('we seed, Transmission leeches', async (t) => weSeed(t, { launch, image: await v1Image(t) }));
});
