/**
 * A boot server on a slow link and three machines that start at once, each in a network namespace of its own: the real
 * `swarmboot serve`, the real `swarmboot-agent fetch`. The server sends about one image, the machines the rest.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LineProcess } from '../../bench/line-process.ts';
import { writeNoise } from '../../bench/payload.ts';
import { publishSmall } from '../server/published-image.ts';
import { fetchResult, startFetch } from './support/fetch.ts';
import { limitRate, makeNetwork } from './support/namespaces.ts';
import { temporaryDirectory } from './support/temporary.ts';
import { until } from './support/until.ts';

const MACHINES = 3;
const FILES = { vmlinuz: 2_000_003, 'initrd.img': 6_000_007, 'root.squashfs': 17_000_011 } as const;
const IMAGE_BYTES = Object.values<number>(FILES).reduce((sum, length) => sum + length);
const SERVER_BITS_PER_SECOND = 40_000_000;
/** Images that the server may send, in bytes on the wire. Three machines by themselves would take three. */
const MOST_IMAGES = 2.2;
const HTTP_PORT = 7080;
const START_TIMEOUT_MS = 20_000;
/** Without peers it would take 3 x 5 s; a busy test machine takes a multiple. */
const DOWNLOAD_TIMEOUT_MS = 120_000;
const SERVE = join(import.meta.dirname, '../../server/cli/main.ts');

test('three machines boot from a server with 40 Mbit/s, and share', async (t) => {
  const folder = temporaryDirectory(t);
  const { manifest, directory } = await publishSmall(folder, 'lab', {
    place: async (target) => {
      for (const [name, length] of Object.entries(FILES)) writeNoise(join(target, name), length, name);
    },
  });
  const [server, ...machines] = makeNetwork(t, 1 + MACHINES);
  assert(server);
  limitRate(server, SERVER_BITS_PER_SECOND);

  const serve = new LineProcess('swarmboot serve', 'ip', [
    ...['netns', 'exec', server.namespace, process.execPath, SERVE, 'serve'],
    ...['--host', server.address, '--http-port', String(HTTP_PORT)],
    ...['--state', join(folder, 'state'), '--config', join(folder, 'config')],
  ]);
  t.after(() => serve.kill());
  await until(() => /lab \S+: seeding/.test(serve.stderr), START_TIMEOUT_MS, 'the server seeds the image');

  const sentBefore = server.sentBytes();
  const children = machines.map((machine, index) =>
    startFetch(t, {
      manifestUrl: `http://${server.address}:${HTTP_PORT}/images/lab/manifest.json`,
      keyFile: join(folder, 'config', 'release.pub'),
      directory: join(folder, `machine-${index}`),
      more: ['--linger', '3600'], // as a booted machine does: it gives until it is told to stop
      namespace: machine.namespace,
    }),
  );
  await Promise.all(children.map((child) => child.event('complete', DOWNLOAD_TIMEOUT_MS)));
  const serverImages = (server.sentBytes() - sentBefore) / IMAGE_BYTES;
  await Promise.all(children.map((child) => child.event('verified', DOWNLOAD_TIMEOUT_MS)));
  for (const child of children) child.child.kill('SIGTERM');
  const results = await Promise.all(children.map((child) => fetchResult(child, START_TIMEOUT_MS)));

  const torrent = `lab-${manifest.version}`;
  const downloaded = { peers: 0, seeder: 0, webseed: 0 };
  for (const [index, { exit, summary }] of results.entries()) {
    assert.equal(exit, 0, JSON.stringify(summary));
    assert.equal(summary.ok, true);
    for (const path of Object.keys(FILES)) {
      const original = readFileSync(join(directory, 'files', torrent, path));
      const copy = readFileSync(join(folder, `machine-${index}`, path));
      assert(copy.equals(original), `${path} on machine ${index} is the published one`);
    }
    const from = summary.downloaded as typeof downloaded;
    for (const source of ['peers', 'seeder', 'webseed'] as const) downloaded[source] += from[source];
  }
  t.diagnostic(
    `server sent ${serverImages.toFixed(2)} images on the wire; in images: ${Object.entries(downloaded)
      .map(([source, bytes]) => `${source} ${(bytes / IMAGE_BYTES).toFixed(2)}`)
      .join(', ')}`,
  );
  assert(serverImages < MOST_IMAGES, `the server sent ${serverImages.toFixed(2)} images`);
  assert(serverImages >= 1, 'the counter counts');
  assert(
    downloaded.peers >= (MACHINES - MOST_IMAGES) * IMAGE_BYTES,
    `${downloaded.peers} bytes came from other machines`,
  );
});
