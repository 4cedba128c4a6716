/** The seeder of the real system as a process, on a block device that holds the image as stage-1 leaves it. Needs root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LineProcess } from '../../bench/line-process.ts';
import { type HandoverFile, serializeHandover } from '../../contract/handover.ts';
import { formatPublicKey, generateKey } from '../../contract/signify.ts';
import { openSegmentStore } from '../../torrent/index.ts';
import { assertCopied, imagePath, makeImage, openStore, type TestImage } from './support/image.ts';
import { manifestOf, signed } from './support/release.ts';
import { ADDRESS, completed, leech } from './support/swarm.ts';
import { temporaryDirectory } from './support/temporary.ts';
import { until } from './support/until.ts';

const MAIN = join(import.meta.dirname, '../../agent/main.ts');
const PAGE = 4096;
const WAIT_MS = 30_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

interface Scene {
  readonly image: TestImage;
  readonly folder: string;
  readonly port: number;
  readonly seeder: LineProcess;
  /** The process has said `event`. */
  readonly said: (event: string) => boolean;
}

/** Puts `names` one behind the other on a read-only loop device, changed by `spoil`, and starts the seeder on it. */
async function scene(
  t: TestContext,
  names: readonly string[],
  settings: string,
  spoil: (bytes: Buffer) => void = () => {},
): Promise<Scene> {
  const folder = temporaryDirectory(t);
  const image = await makeImage(folder);
  const files: HandoverFile[] = [];
  const parts: Buffer[] = [];
  let at = 0;
  for (const path of names) {
    const bytes = readFileSync(imagePath(image, image.directory, path));
    files.push({ path, source: '', offset: at });
    const padded = Buffer.alloc(Math.ceil(bytes.length / PAGE) * PAGE);
    bytes.copy(padded);
    parts.push(padded);
    at += padded.length;
  }
  const all = Buffer.concat(parts);
  spoil(all);
  const backing = join(folder, 'region');
  writeFileSync(backing, all);
  const device = execFileSync('losetup', ['--find', '--show', '--read-only', backing], {
    encoding: 'utf8',
  }).trim();
  t.after(() => execFileSync('losetup', ['--detach', device]));

  const state = join(folder, 'state');
  mkdirSync(state);
  const key = generateKey(randomBytes);
  const { manifest, signature } = signed(manifestOf(image), key);
  writeFileSync(join(state, 'manifest.json'), manifest);
  writeFileSync(join(state, 'manifest.json.sig'), signature);
  writeFileSync(join(state, 'release.pub'), formatPublicKey(key, 'test'));
  writeFileSync(join(state, 'image.torrent'), readFileSync(image.torrent));
  const port = await freePort();
  const handover = {
    ...{ mac: '52:54:00:00:00:01', boot: '0123456789abcdef', port, trackers: [] },
    format: 1 as const,
    files: files.map((file) => ({ ...file, source: device })),
  };
  writeFileSync(join(state, 'seed.json'), serializeHandover(handover));
  const config = join(folder, 'seed.conf');
  // Nothing leaves this machine.
  writeFileSync(config, `DISCOVERY=0\n${settings}`);
  const seeder = new LineProcess('swarmboot-agent seed', process.execPath, [
    ...[MAIN, 'seed', '--json', '--state', state, '--config', config],
    ...['--runtime', join(folder, 'run')],
  ]);
  t.after(() => seeder.kill());
  const said = (event: string): boolean => seeder.events.some((one) => one.event === event);
  await until(() => said('seeding'), WAIT_MS, `the seeder to begin: ${seeder.stderr}`);
  return { image, folder, port, seeder, said };
}

test('a device with root, kernel and initrd gives the whole image; SIGTERM ends it in order', async (t) => {
  const { image, folder, port, seeder } = await scene(
    t,
    ['root.squashfs', 'vmlinuz', 'initrd.img'],
    'RATE=0\n',
  );
  const copy = join(folder, 'copy');
  const swarm = await leech(t, image, copy, { peers: [{ host: ADDRESS, port }] });
  await completed(swarm);
  assertCopied(image, copy);
  seeder.child.kill('SIGTERM');
  assert.equal(await seeder.ended, 0);
  const last = seeder.events.at(-1) as unknown as { event: string; stats: { uploaded: number } };
  assert.equal(last.event, 'stopped');
  assert.ok(last.stats.uploaded >= image.metainfo.totalLength);
  assert.match(
    readFileSync(join(folder, 'run/status'), 'utf8'),
    new RegExp(`^pieces {3}${image.metainfo.pieceCount} of ${image.metainfo.pieceCount},`, 'm'),
  );
});

test('a device with the root alone gives exactly its pieces, and a flipped bit is never served', async (t) => {
  const at = 5 * 2 ** 18 + 77;
  const { image, folder, port, seeder, said } = await scene(t, ['root.squashfs'], 'RATE=0\n', (bytes) => {
    bytes[at]! ^= 4;
  });
  const root = image.metainfo.files.find(({ path }) => path === 'root.squashfs')!;
  const first = root.offset / 2 ** 18;
  const count = Math.ceil(root.length / 2 ** 18);
  const copy = join(folder, 'copy');
  const swarm = await leech(t, image, copy, { peers: [{ host: ADDRESS, port }] });
  await until(
    () => swarm.stats().pieces === count - 1,
    WAIT_MS,
    'all pieces of the root but the damaged one',
  );
  await until(() => said('withdrawn'), WAIT_MS, 'the damaged piece to be told');
  const withdrawn = seeder.events.find(({ event }) => event === 'withdrawn');
  assert.equal(withdrawn?.piece, first + 5);
  assert.equal(swarm.stats().hashFailures, 0, 'no wrong byte arrived');
  await until(
    () => /^damaged {2}1, not given any more/m.test(readFileSync(join(folder, 'run/status'), 'utf8')),
    WAIT_MS,
    'the status to say so',
  );
  // What did arrive is right, and lies where the root is.
  const ours = await openSegmentStore(
    [{ offset: 0, length: root.length, path: imagePath(image, copy, 'root.squashfs'), pathOffset: 0 }],
    'read',
  );
  const original = await openStore(image, image.directory, 'read');
  t.after(() => Promise.all([ours.close(), original.close()]));
  for (let piece = 0; piece < count; piece++) {
    const length = Math.min(2 ** 18, root.length - piece * 2 ** 18);
    const [got, want] = [Buffer.alloc(length), Buffer.alloc(length)];
    await ours.read(piece * 2 ** 18, got);
    await original.read(root.offset + piece * 2 ** 18, want);
    assert.equal(got.equals(want), piece !== 5, `piece ${piece} of the root`);
  }
});
