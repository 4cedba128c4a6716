/** `swarmboot-agent fetch` as a process, against real seeders and real HTTP on loopback. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { directorySegments, openSegmentStore, Swarm } from '../../torrent/index.ts';
import { makeRelease, type ReleaseFixture, serveRelease } from './release-fixture.ts';

const MAIN = join(import.meta.dirname, '../../agent/main.ts');
// biome-ignore lint/suspicious/noExplicitAny: whatever the process prints is looked at field by field
type Event = any;

interface Run {
  readonly child: ChildProcess;
  readonly out: string;
  readonly events: Event[];
  /** Resolves with the first event of this name. */
  event(name: string): Promise<Event>;
  /** Exit status and last event. */
  done(): Promise<{ status: number | null; summary: Event }>;
}

function fetchRelease(
  context: TestContext,
  release: ReleaseFixture,
  manifest: string,
  ...args: string[]
): Run {
  const out = mkdtempSync(join(tmpdir(), 'swarmboot-fetch-'));
  const base = [
    'fetch',
    '--manifest',
    manifest,
    '--key',
    join(release.folder, 'release.pub'),
    '--out',
    out,
    '--json',
    '--no-lsd', // these tests stay on loopback
  ];
  const child = spawn(process.execPath, [MAIN, ...base, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => {
    child.kill('SIGKILL');
    rmSync(out, { recursive: true, force: true });
  });
  const events: Event[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) events.push(JSON.parse(line));
    child.emit('events');
  });
  const closed = once(child, 'close');
  const event = async (name: string): Promise<Event> => {
    for (;;) {
      const found = events.find((candidate) => candidate.event === name);
      if (found) return found;
      if (child.exitCode !== null) throw new Error(`ended without ${name}: ${JSON.stringify(events)}`);
      await Promise.race([once(child, 'events'), closed]);
    }
  };
  const done = async (): Promise<{ status: number | null; summary: Event }> => {
    const [status] = await closed;
    return { status, summary: events.at(-1) };
  };
  return { child, out, events, event, done };
}

async function seed(context: TestContext, release: ReleaseFixture): Promise<Swarm> {
  const store = await openSegmentStore(directorySegments(release.metainfo, release.folder), 'read');
  const listen = { host: '127.0.0.1', port: 0 };
  const swarm = await Swarm.start({
    metainfo: release.metainfo,
    store,
    complete: true,
    listen,
    role: 'origin',
  });
  context.after(async () => {
    await swarm.close();
    await store.close();
  });
  return swarm;
}

function assertFiles(release: ReleaseFixture, out: string): void {
  for (const { path } of release.manifest.files) {
    assert.ok(readFileSync(join(out, path)).equals(readFileSync(join(release.folder, path))), path);
  }
}

test('from a seeder: files as signed, a summary that says so', async (context) => {
  const release = await serveRelease(context);
  const seeder = await seed(context, release);
  const run = fetchRelease(context, release, release.manifestUrl, '--peer', `127.0.0.1:${seeder.port}`);
  const { status, summary } = await run.done();
  assert.equal(status, 0);
  assertFiles(release, run.out);
  const bytes = release.manifest.files.reduce((sum, file) => sum + file.length, 0);
  assert.deepEqual(
    [summary.event, summary.ok, summary.bytes, summary.uploaded, summary.hashFailures],
    ['summary', true, bytes, 0, 0],
  );
  assert.deepEqual([summary.downloaded.peers, summary.downloaded.webseed], [0, 0]);
  assert.ok(summary.downloaded.seeder >= bytes);
  assert.ok(summary.seconds > 0 && summary.peakRssBytes > 10_000_000);
  const names = run.events.map((event) => event.event);
  for (const name of ['manifest', 'listening', 'progress', 'complete']) assert.ok(names.includes(name), name);
});

test('the manifest may be a file', async (context) => {
  const release = await makeRelease(context);
  const seeder = await seed(context, release);
  const manifest = join(release.folder, 'manifest.json');
  const run = fetchRelease(context, release, manifest, '--peer', `127.0.0.1:${seeder.port}`);
  assert.equal((await run.done()).status, 0);
  assertFiles(release, run.out);
});

test('without any peer the files come over plain HTTP from beside the manifest', async (context) => {
  const release = await serveRelease(context, { files: true });
  const run = fetchRelease(context, release, release.manifestUrl);
  const { status, summary } = await run.done();
  assert.equal(status, 0, JSON.stringify(summary));
  assertFiles(release, run.out);
  assert.ok(summary.downloaded.webseed >= summary.bytes);
});

test('a second machine gets the image from the first one that lingers', async (context) => {
  const release = await serveRelease(context);
  const seeder = await seed(context, release);
  const first = fetchRelease(
    context,
    release,
    release.manifestUrl,
    '--peer',
    `127.0.0.1:${seeder.port}`,
    '--linger',
    '60',
  );
  await first.event('complete');
  const { port } = await first.event('listening');
  await seeder.close();
  const second = fetchRelease(context, release, release.manifestUrl, '--peer', `127.0.0.1:${port}`);
  const { status, summary } = await second.done();
  assert.equal(status, 0);
  assert.ok(summary.downloaded.peers >= summary.bytes);
  // A signal ends the lingering, and the download was a success all the same.
  first.child.kill('SIGTERM');
  const ended = await first.done();
  assert.equal(ended.status, 0);
  assert.equal(ended.summary.ok, true);
  assert.ok(ended.summary.uploaded >= summary.bytes);
});

test('a signature of another key ends with 1 and nothing written', async (context) => {
  const release = await serveRelease(context);
  const stranger = await makeRelease(context);
  const run = fetchRelease(context, stranger, release.manifestUrl);
  const { status, summary } = await run.done();
  assert.equal(status, 1);
  assert.deepEqual([summary.ok, summary.error.code], [false, 'signature-untrusted']);
  assert.equal(
    run.events.some((event) => event.event === 'listening'),
    false,
  );
});

test('nobody has the image: it ends after the deadline with what it waited for', async (context) => {
  const release = await makeRelease(context);
  const run = fetchRelease(context, release, join(release.folder, 'manifest.json'), '--deadline', '2');
  const { status, summary } = await run.done();
  assert.equal(status, 1);
  assert.equal(summary.error.code, 'swarm-stalled');
  assert.match(summary.error.message, /waiting for \d+ of \d+ pieces, no peer is connected/);
});

test('interrupted before the end: a summary, and 1', async (context) => {
  const release = await makeRelease(context);
  const run = fetchRelease(context, release, join(release.folder, 'manifest.json'));
  await run.event('listening');
  run.child.kill('SIGINT');
  const { status, summary } = await run.done();
  assert.deepEqual([status, summary.ok, summary.error.code], [1, false, 'interrupted']);
});
