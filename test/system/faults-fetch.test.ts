/** `swarmboot-agent fetch` as a process refuses what is not signed for it, and ends in time when nobody has the image. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { generateKey } from '../../contract/signify.ts';
import { type FetchResult, fetchResult, startFetch } from './support/fetch.ts';
import { assertCopied, makeImage, type TestImage } from './support/image.ts';
import { manifestOf, type ReleaseServer, serveRelease, signed } from './support/release.ts';
import { ADDRESS, DOWNLOAD_TIMEOUT_MS, seed } from './support/swarm.ts';
import { closing, temporaryDirectory } from './support/temporary.ts';
import { until } from './support/until.ts';

const ROOT_FILE = 'root.squashfs';

interface Scene {
  readonly image: TestImage;
  readonly server: ReleaseServer;
  readonly directory: string;
  fetch(...more: string[]): Promise<FetchResult>;
}

async function scene(t: TestContext, image?: TestImage): Promise<Scene> {
  const root = temporaryDirectory(t);
  const made = image ?? (await makeImage(root));
  const server = closing(t, await serveRelease(made, root, { address: ADDRESS }));
  const directory = temporaryDirectory(t);
  return {
    image: made,
    server,
    directory,
    fetch: (...more) =>
      fetchResult(
        startFetch(t, {
          manifestUrl: server.manifestUrl,
          keyFile: server.keyFile,
          directory: join(directory, made.metainfo.name),
          more,
        }),
        DOWNLOAD_TIMEOUT_MS,
      ),
  };
}

/** It said so, in the summary and with its exit status, and wrote nothing of the image. */
function assertRefused(result: FetchResult, { directory, image }: Scene, code: string): void {
  assert.equal(result.exit, 1, result.stderr);
  assert.equal(result.summary.ok, false);
  const error = result.summary.error as { code: string; message: string };
  assert.equal(error.code, code, error.message);
  assert.equal(result.summary.bytes, 0);
  assert(!existsSync(join(directory, image.metainfo.name, ROOT_FILE)), 'nothing of the image was written');
}

test('a release that is all right is fetched, byte for byte', async (t) => {
  const here = await scene(t);
  const { exit, summary } = await here.fetch();
  assert.equal(exit, 0, JSON.stringify(summary));
  assert.equal(summary.ok, true);
  assertCopied(here.image, here.directory);
});

test('a manifest without a signature is refused', async (t) => {
  const here = await scene(t);
  here.server.bodies.signature = undefined;
  assertRefused(await here.fetch('--deadline', '5'), here, 'signature-missing');
});

test('a manifest that was altered after it was signed is refused', async (t) => {
  const here = await scene(t);
  const text = String(here.server.bodies.manifest);
  here.server.bodies.manifest = Buffer.from(text.replace('"quiet"', '"quiet init=/bin/sh"'));
  assert.notEqual(String(here.server.bodies.manifest), text, 'the manifest was altered');
  assertRefused(await here.fetch('--deadline', '5'), here, 'signature-altered');
});

test('a manifest that another key signed is refused', async (t) => {
  const here = await scene(t);
  Object.assign(here.server.bodies, signed(manifestOf(here.image), generateKey(randomBytes)));
  assertRefused(await here.fetch('--deadline', '5'), here, 'signature-untrusted');
});

test('a signature that is no signature is refused', async (t) => {
  const here = await scene(t);
  here.server.bodies.signature = Buffer.from('<html>Log in to the guest network</html>');
  assertRefused(await here.fetch('--deadline', '5'), here, 'signature-malformed');
});

test('an expired manifest is refused', async (t) => {
  const root = temporaryDirectory(t);
  const image = await makeImage(root);
  const manifest = manifestOf(image, { created: '2020-01-01T00:00:00Z', expires: '2020-02-01T00:00:00Z' });
  const server = closing(t, await serveRelease(image, root, { address: ADDRESS, manifest }));
  const directory = temporaryDirectory(t);
  const child = startFetch(t, {
    manifestUrl: server.manifestUrl,
    keyFile: server.keyFile,
    directory: join(directory, image.metainfo.name),
    more: ['--deadline', '5'],
  });
  const result = await fetchResult(child, DOWNLOAD_TIMEOUT_MS);
  assertRefused(result, { image, server, directory, fetch: () => Promise.reject() }, 'manifest-expired');
});

test('metainfo of another image than the signed one is refused', async (t) => {
  const here = await scene(t);
  const other = await makeImage(temporaryDirectory(t), { seed: 'other' });
  const served = closing(t, await serveRelease(other, temporaryDirectory(t), { address: ADDRESS }));
  here.server.bodies.torrent = served.bodies.torrent;
  assertRefused(await here.fetch('--deadline', '5'), here, 'metainfo-mismatch');
});

test('altered files over HTTP are never taken for the image', async (t) => {
  const here = await scene(t);
  here.server.alter = (_path, _offset, bytes) => {
    for (let at = 0; at < bytes.length; at += 16_384) bytes[at]! ^= 1;
    return true;
  };
  const { exit, summary } = await here.fetch('--deadline', '5');
  assert(here.server.sent.altered > 0, 'altered bytes were served');
  assert.equal(exit, 1);
  assert.equal(summary.ok, false);
  assert.equal(summary.bytes, 0, 'no altered piece counts');
  assert(Number(summary.hashFailures) > 0);
});

test('when nobody has the image, it ends by its deadline and says what it waited for', async (t) => {
  const here = await scene(t);
  here.server.serveFiles = false;
  const { exit, summary } = await here.fetch('--deadline', '3');
  assert.equal(exit, 1);
  assert.equal(summary.ok, false);
  const error = summary.error as { code: string; message: string };
  assert.equal(error.code, 'swarm-stalled');
  assert.match(
    error.message,
    /No piece arrived for 3 s: waiting for \d+ of \d+ pieces, no peer is connected/,
  );
});

test('when the server goes away half-way and nobody has the rest, it ends by its deadline', async (t) => {
  const root = temporaryDirectory(t);
  const image = await makeImage(root);
  const here = await scene(t, image);
  here.server.serveFiles = false;
  const origin = await seed(t, image, { uploadBytesPerSecond: 2_000_000 });
  const child = startFetch(t, {
    manifestUrl: here.server.manifestUrl,
    keyFile: here.server.keyFile,
    directory: join(here.directory, image.metainfo.name),
    more: ['--deadline', '3', '--peer', `${ADDRESS}:${origin.port}`],
  });
  const hasSome = () => child.events.some((event) => event.event === 'progress' && Number(event.bytes) > 0);
  await until(hasSome, DOWNLOAD_TIMEOUT_MS, 'some pieces are there');
  await origin.close();
  await here.server.close();
  const { exit, summary } = await fetchResult(child, DOWNLOAD_TIMEOUT_MS);
  assert.equal(exit, 1);
  assert.equal((summary.error as { code: string }).code, 'swarm-stalled');
  assert(Number(summary.bytes) > 0 && Number(summary.bytes) < image.metainfo.payloadLength);
});
