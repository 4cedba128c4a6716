import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ManifestOptions, manifestPhase, type Release } from '../../../agent/phases/manifest.ts';
import { METAINFO_LIMIT_BYTES } from '../../../contract/paths.ts';
import { generateKey, signBytes } from '../../../contract/signify.ts';
import { withOuterKeys } from '../../../torrent/index.ts';
import { fakes, phaseContext } from '../fakes.ts';
import { makeRelease, type ReleaseOptions, type ServedRelease, serveRelease } from '../release-fixture.ts';

const PATH = '/images/debian-test/manifest.json';

interface Attempt {
  readonly served: ServedRelease;
  /** Runs the phase for at most so many virtual milliseconds. */
  run(limitMs?: number, options?: Partial<ManifestOptions>): Promise<Release>;
  notes: readonly string[];
  setYear(year: number): void;
}

async function attempt(context: TestContext, options: ReleaseOptions = {}): Promise<Attempt> {
  const served = await serveRelease(context, options);
  const around = fakes(context, true);
  return {
    served,
    notes: around.console.lines,
    setYear: (year) => {
      around.machine.wallOffsetMs = Date.UTC(year, 5, 1);
    },
    run: async (limitMs = 60_000, changed = {}) => {
      const phase = phaseContext(around, limitMs);
      const base = { manifestUrl: served.manifestUrl, key: served.key, arch: 'amd64' } as const;
      return (await manifestPhase(phase, { ...base, ...changed })).value;
    },
  };
}

test('a signed manifest with its metainfo is accepted, outer keys of the server and all', async (context) => {
  const { served, run } = await attempt(context);
  const outer = {
    announce: ['http://10.0.0.1/announce'],
    urlList: [],
    explicitPeers: [{ host: '10.0.0.1', port: 6881 }],
  };
  served.server.reply('/images/debian-test/image.torrent', withOuterKeys(served.metainfo, outer));
  const { manifest, metainfo } = await run();
  assert.deepEqual(manifest, served.manifest);
  assert.deepEqual(metainfo.explicitPeers, outer.explicitPeers);
});

test('a server that comes up late is waited for', async (context) => {
  const { served, run, notes } = await attempt(context);
  const right = readFileSync(join(served.folder, 'manifest.json'));
  let asked = 0;
  served.server.handle(PATH, (_, response) => {
    if (++asked < 4) response.writeHead(503).end();
    else response.end(right);
  });
  await run();
  assert.equal(asked, 4);
  assert.equal(notes.filter((line) => line.includes('answered 503')).length, 3);
});

test('a server that never comes up ends at the deadline', async (context) => {
  const { served, run } = await attempt(context);
  await served.server.close();
  await assert.rejects(run(30_000), { code: 'manifest-unreachable', message: /Cannot reach/ });
});

/** Each: what is wrong, the code it is refused with, and what its sentence says. */
const refusals: readonly [
  string,
  string,
  RegExp,
  (attempt: Attempt, context: TestContext) => void | Promise<void>,
][] = [
  [
    'no signature',
    'signature-missing',
    /manifest\.json\.sig" answered 404/,
    ({ served }) => served.server.reply(`${PATH}.sig`, undefined),
  ],
  [
    'an empty signature',
    'signature-malformed',
    /Signature does not begin/,
    ({ served }) => served.server.reply(`${PATH}.sig`, ''),
  ],
  [
    'the signature of another key',
    'signature-untrusted',
    /another key/,
    ({ served }) => {
      const bytes = readFileSync(join(served.folder, 'manifest.json'));
      served.server.reply(`${PATH}.sig`, signBytes(generateKey(randomBytes), bytes, 'evil'));
    },
  ],
  [
    'an altered manifest',
    'signature-altered',
    /does not fit/,
    ({ served }) => {
      const text = readFileSync(join(served.folder, 'manifest.json'), 'utf8');
      served.server.reply(PATH, text.replace('console=ttyS0', 'console=ttyS1'));
    },
  ],
  [
    'bytes that are no manifest, before anything parses them',
    'signature-altered',
    /does not fit/,
    ({ served }) => served.server.reply(PATH, '{"format":'),
  ],
  [
    'bytes that are signed and no manifest',
    'manifest-malformed',
    /not JSON/,
    ({ served }) => {
      served.server.reply(PATH, 'hello');
      served.server.reply(`${PATH}.sig`, signBytes(served.key, Buffer.from('hello'), 'test'));
    },
  ],
  [
    'an endless manifest',
    'manifest-unreachable',
    /more than the 262144 bytes allowed/,
    ({ served }) => served.server.reply(PATH, Buffer.alloc(300_000, 0x20)),
  ],
  [
    'no metainfo',
    'metainfo-missing',
    /image\.torrent" answered 404/,
    ({ served }) => served.server.reply('/images/debian-test/image.torrent', undefined),
  ],
  [
    'a metainfo that is not bencode',
    'metainfo-malformed',
    /Metainfo refused/,
    ({ served }) => served.server.reply('/images/debian-test/image.torrent', 'l-3:'),
  ],
  [
    'a metainfo of other files',
    'metainfo-mismatch',
    /v1 infohash is not the signed one/,
    async ({ served }, context) => {
      const other = await makeRelease(context);
      served.server.reply('/images/debian-test/image.torrent', other.metainfoBytes);
    },
  ],
  [
    'a metainfo that is too large',
    'metainfo-unreachable',
    /bytes allowed/,
    ({ served }) =>
      served.server.reply('/images/debian-test/image.torrent', Buffer.alloc(METAINFO_LIMIT_BYTES + 1)),
  ],
];

for (const [what, code, message, spoil] of refusals) {
  test(`refused: ${what}`, async (context) => {
    const one = await attempt(context);
    await spoil(one, context);
    await assert.rejects(one.run(), { code, message });
    assert.equal(
      one.served.server.requests.some((path) => path.includes('/files/')),
      false,
    );
  });
}

test('refused: an image for another architecture', async (context) => {
  const { run } = await attempt(context, { change: (manifest) => ({ ...manifest, arch: 'arm64' }) });
  await assert.rejects(run(), {
    code: 'manifest-wrong-arch',
    message: /is for arm64, this machine is amd64/,
  });
});

test('refused: expired; but not by a clock that stands before the manifest was made', async (context) => {
  const expires = '2026-03-01T00:00:00Z';
  const { run, setYear } = await attempt(context, { change: (manifest) => ({ ...manifest, expires }) });
  setYear(2026);
  await assert.rejects(run(), { code: 'manifest-expired', message: /expired at 2026-03-01/ });
  setYear(1999);
  await run();
});

for (const [what, message, torrent] of [
  ['v1', /v1 infohash/, { infohashV1: '00'.repeat(20) }],
  ['v2', /v2 infohash/, { infohashV2: '00'.repeat(32) }],
  ['piece length', /pieces of 65536 bytes, not 131072/, { pieceLength: 131_072 }],
] as const) {
  test(`refused: a signed ${what} that the metainfo does not have`, async (context) => {
    const { run } = await attempt(context, {
      change: (manifest) => ({ ...manifest, torrent: { ...manifest.torrent, ...torrent } }),
    });
    await assert.rejects(run(), { code: 'metainfo-mismatch', message });
  });
}

test('refused: a signed file length that the metainfo does not have', async (context) => {
  const { run } = await attempt(context, {
    change: (manifest) => ({
      ...manifest,
      files: manifest.files.map((file) => (file.role === 'root' ? { ...file, length: 5 } : file)),
    }),
  });
  await assert.rejects(run(), {
    code: 'metainfo-mismatch',
    message: /"root\.squashfs" has 1000003 bytes, not 5/,
  });
});
