/**
 * A swarm with a quarter of hostile machines: a real boot server, six real agents, two machines that attack server and agents
 * alike, each in a network namespace of its own. Every honest machine gets the image; whoever attacked was thrown out.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LineEvent, LineProcess } from '../../bench/line-process.ts';
import { writeNoise } from '../../bench/payload.ts';
import { publishSmall } from '../server/published-image.ts';
import { fetchResult, startFetch } from './support/fetch.ts';
import { limitRate, makeNetwork } from './support/namespaces.ts';
import { temporaryDirectory } from './support/temporary.ts';
import { until } from './support/until.ts';

const HONEST = 6;
const FILES = { vmlinuz: 1_000_003, 'initrd.img': 3_000_007, 'root.squashfs': 9_000_011 } as const;
const SERVER_BITS_PER_SECOND = 80_000_000;
const HTTP_PORT = 7080;
const START_TIMEOUT_MS = 30_000;
/** Generous: on a busy test machine, eight processes and their attackers share two cores. */
const DOWNLOAD_TIMEOUT_MS = 240_000;
const SERVE = join(import.meta.dirname, '../../server/cli/main.ts');
const HOSTILE = join(import.meta.dirname, 'support/hostile-machine.ts');

interface Outcome {
  /** What each hostile machine did. */
  readonly did: readonly LineEvent[];
  readonly banned: readonly string[];
  readonly summaries: readonly LineEvent[];
  readonly serverRssBytes: number;
}

const rssBytesOf = (pid: number): number =>
  1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

async function besieged(t: TestContext, kinds: readonly (readonly string[])[]): Promise<Outcome> {
  const folder = temporaryDirectory(t);
  const { manifest, directory } = await publishSmall(folder, 'lab', {
    place: async (target) => {
      for (const [name, length] of Object.entries(FILES)) writeNoise(join(target, name), length, name);
    },
  });
  const torrent = `lab-${manifest.version}`;
  const [server, ...machines] = makeNetwork(t, 1 + HONEST + kinds.length);
  assert(server);
  limitRate(server, SERVER_BITS_PER_SECOND);
  const serve = new LineProcess('swarmboot serve', 'ip', [
    ...['netns', 'exec', server.namespace, process.execPath, SERVE, 'serve'],
    ...['--host', server.address, '--http-port', String(HTTP_PORT)],
    ...['--state', join(folder, 'state'), '--config', join(folder, 'config')],
  ]);
  t.after(() => serve.kill());
  await until(
    () => /lab-?.*seeding on port|seeding lab/.test(serve.stderr),
    START_TIMEOUT_MS,
    'the server seeds the image',
  ).catch((error: Error) => {
    throw new Error(`${error.message}; it says: ${serve.stderr}`);
  });
  const { pieceLength } = manifest.torrent;
  const bytes = Object.values<number>(FILES).map((length) => Math.ceil(length / pieceLength));
  const pieceCount = bytes.reduce((sum, count) => sum + count, 0);
  const hostile = kinds.map((names, index) => {
    const { namespace, address } = machines[HONEST + index]!;
    const child = new LineProcess(`hostile ${names}`, 'ip', [
      ...['netns', 'exec', namespace, process.execPath, HOSTILE],
      ...[`http://${server.address}:${HTTP_PORT}/announce`, manifest.torrent.infohashV1],
      ...[String(pieceCount), String(pieceLength), address, ...names],
    ]);
    t.after(() => child.kill());
    return child;
  });
  // They are there first.
  await Promise.all(hostile.map((child) => child.event('did', START_TIMEOUT_MS)));

  const children = machines.slice(0, HONEST).map((machine, index) =>
    startFetch(t, {
      manifestUrl: `http://${server.address}:${HTTP_PORT}/images/lab/manifest.json`,
      keyFile: join(folder, 'config', 'release.pub'),
      directory: join(folder, `machine-${index}`),
      more: ['--linger', '3600'],
      namespace: machine.namespace,
    }),
  );
  await Promise.all(children.map((child) => child.event('verified', DOWNLOAD_TIMEOUT_MS)));
  const serverRssBytes = rssBytesOf(serve.pid);
  for (const child of children) child.child.kill('SIGTERM');
  const results = await Promise.all(children.map((child) => fetchResult(child, START_TIMEOUT_MS)));
  for (const [index, { exit, summary }] of results.entries()) {
    assert.equal(exit, 0, JSON.stringify(summary));
    for (const path of Object.keys(FILES)) {
      const original = readFileSync(join(directory, 'files', torrent, path));
      assert(
        readFileSync(join(folder, `machine-${index}`, path)).equals(original),
        `${path} on machine ${index}`,
      );
    }
  }
  const did = hostile.map((child) => child.events.at(-1)!);
  const seconds = results.map(({ summary }) => Number(summary.seconds).toFixed(1));
  t.diagnostic(`machines took ${seconds} s; ${did.map((event) => JSON.stringify(event)).join(' ')}`);
  return {
    did,
    banned: results.flatMap(({ events }) =>
      events.filter(({ event }) => event === 'banned').map(({ message }) => String(message)),
    ),
    summaries: results.map(({ summary }) => summary),
    serverRssBytes,
  };
}

test('two machines that poison, promise and refuse', async (t) => {
  const { did, banned, summaries } = await besieged(t, [
    ['poison'],
    ['mute', 'miser', 'reject', 'spoil', 'trickle'],
  ]);
  const [liar, idler] = did as unknown as Record<string, number>[];
  assert(liar!.lied! > 0 && liar!.greeted! > 0, 'blocks were poisoned');
  assert(idler!.asked! > 0, 'promises were made, and believed');
  assert(
    summaries.some(({ hashFailures }) => Number(hashFailures) > 0),
    'somebody took a poisoned piece for a while',
  );
  assert(
    banned.some((message) => /^10\.76\.0\.8:\d+: bad-data/.test(message)),
    `the liar is banned: ${banned}`,
  );
  assert(
    banned.every((message) => /^10\.76\.0\.[89]:/.test(message)),
    `nobody else is banned: ${banned}`,
  );
  assert(liar!.closed! > 0 && idler!.closed! > 0, 'they were dropped');
});

test('two machines that flood, crowd and do not read', async (t) => {
  const { did, banned, serverRssBytes } = await besieged(t, [
    ['flood', 'wrong'],
    ['deaf', 'crowd'],
  ]);
  const [flooder, crowd] = did as unknown as Record<string, number>[];
  assert(flooder!.greeted! > 0 && flooder!.bytes! > 0, 'floods went out');
  assert(crowd!.crowd! >= 2000 && crowd!.asked! > 0, 'there was a crowd, and deaf ones asked for pieces');
  assert(
    banned.some((message) => /^10\.76\.0\.8:\d+: (message-flood|bad-index)/.test(message)),
    `the flooder is out: ${banned}`,
  );
  assert(
    banned.every((message) => /^10\.76\.0\.[89]:/.test(message)),
    `nobody else is banned: ${banned}`,
  );
  // Each of the seven that were crowded around keeps eight of one host; some connections are not even accepted yet.
  assert(crowd!.crowdClosed! > 10 * 7 * 8, `of the crowd, ${crowd!.crowdClosed} were sent away`);
  assert(serverRssBytes < 400 * 2 ** 20, `the server used ${serverRssBytes} bytes`);
});
