import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyBytes } from '../../../contract/signify.ts';
import { loadPublicKey } from '../../../server/catalog/keys.ts';
import { parseMetainfo } from '../../../torrent/index.ts';
import { payload, publishSmall } from '../published-image.ts';
import { startServer, statusOf } from '../running-server.ts';
import { get, rawRequest } from './raw-request.ts';

const { url, server, folder, published } = await startServer();
const { version } = published.manifest;
const files = `/images/lab/files/lab-${version}`;
const bytes = async (path: string, headers: Record<string, string> = {}): Promise<Buffer> =>
  Buffer.from(await (await fetch(url + path, { headers })).arrayBuffer());
const webseedBytes = async (): Promise<number> => (await statusOf(url)).server.webseedBytes;

test('manifest, signature and metainfo belong together, by name and by version', async () => {
  for (const base of ['/images/lab', `/images/lab/${version}`]) {
    const manifest = await bytes(`${base}/manifest.json`);
    verifyBytes(
      loadPublicKey(join(folder, 'config')),
      manifest,
      (await bytes(`${base}/manifest.json.sig`)).toString('latin1'),
    );
    const metainfo = parseMetainfo(await bytes(`${base}/image.torrent`));
    assert.equal(metainfo.infohashV2?.toString('hex'), published.manifest.torrent.infohashV2);
  }
});

test('the metainfo names tracker, webseed and seeder as the machine reaches them', async () => {
  const metainfo = parseMetainfo(await bytes('/images/lab/image.torrent'));
  assert.deepEqual(metainfo.announce, [`${url}/announce`, `udp://127.0.0.1:${server.httpPort}/announce`]);
  assert.deepEqual(metainfo.urlList, [`${url}/images/lab/files/`]);
  assert.deepEqual(metainfo.explicitPeers, [{ host: '127.0.0.1', port: server.releases()[0]?.seederPort }]);
  const answer = await rawRequest(
    server.httpPort,
    get('/images/lab/image.torrent', ['Host: boot.example:8080']),
  );
  const named = parseMetainfo(Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1'));
  assert.deepEqual(named.urlList, ['http://boot.example:8080/images/lab/files/']);
  assert.ok(named.infoBytes.equals(metainfo.infoBytes), 'the info dictionary is as signed');
});

test('ranges: first, middle, last, too far', async () => {
  const path = `${files}/root.squashfs`;
  const { root } = payload;
  assert.ok((await bytes(path)).equals(root));
  assert.ok((await bytes(path, { range: 'bytes=0-0' })).equals(root.subarray(0, 1)));
  assert.ok((await bytes(path, { range: 'bytes=1048576-1048675' })).equals(root.subarray(1048576, 1048676)));
  assert.ok((await bytes(path, { range: 'bytes=-7' })).equals(root.subarray(-7)));
  const beyond = await fetch(url + path, { headers: { range: `bytes=${root.length}-` } });
  assert.equal(beyond.status, 416);
  const first = await fetch(url + path, { method: 'HEAD' });
  const etag = first.headers.get('etag') ?? '';
  // Not by fetch: it adds `Cache-Control: no-cache`.
  const again = await rawRequest(server.httpPort, get(path, ['Host: x', `If-None-Match: ${etag}`]));
  assert.match(again, /^HTTP\/1\.1 304/);
});

test('a download that is broken off counts what was sent, not the whole file', async () => {
  const before = await webseedBytes();
  const request = httpGet(`${url}${files}/root.squashfs`, { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await once(response, 'data');
  request.destroy();
  // The server notices when its next write fails: ask until the count stands still.
  let counted = -1;
  for (let attempt = 0; attempt < 100; attempt++) {
    const now = (await webseedBytes()) - before;
    if (now === counted && now > 0) break;
    counted = now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(counted > 0 && counted <= payload.root.length, `${counted} bytes`);
});

test('no path leads out of the release', async () => {
  const secret = readFileSync(join(folder, 'config/release.sec'), 'latin1').split('\n')[1] ?? '?';
  const version2 = `/images/lab/${version}`;
  for (const path of [
    '/../../config/release.sec',
    '/images/../../config/release.sec',
    `${files}/../../../../../../config/release.sec`,
    `${files}/..%2f..%2f..%2f..%2f..%2f..%2fconfig%2frelease.sec`,
    `${files}/%2e%2e/%2e%2e/manifest.json`,
    `${files}/%2fetc%2fpasswd`,
    `${files}/root.squashfs%00`,
    `${files}/`,
    `${files}`,
    `/images/lab/files/lab-..%2f${version}/root.squashfs`,
    `/images/lab/files/lab-current/root.squashfs`,
    `/images/..%2f..%2fconfig/manifest.json`,
    '/images/lab/current/manifest.json',
    '/images/lab/files/manifest.json',
    `${version2}/files/lab-${version}x/root.squashfs`,
    `${version2}/files/lab-${version}/../../manifest.json`,
    `/images/${'a'.repeat(5000)}/manifest.json`,
    '/images/%ff%fe/manifest.json',
    '/images/__proto__/manifest.json',
    '//etc/passwd',
  ]) {
    const answer = await rawRequest(server.httpPort, get(path));
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, path);
    assert.ok(!answer.includes(secret) && !answer.includes('root:'), path);
  }
});

test('a new version is served after a scan, the old one to those in the middle of it', async () => {
  const next = await publishSmall(folder);
  await server.rescan();
  const manifest = JSON.parse((await bytes('/images/lab/manifest.json')).toString());
  assert.equal(manifest.version, next.manifest.version);
  assert.ok((await bytes(`${files}/vmlinuz`)).equals(payload.kernel), 'by the old torrent name');
  assert.equal(JSON.parse((await bytes(`/images/lab/${version}/manifest.json`)).toString()).version, version);
  assert.equal(server.releases().length, 1);
});
