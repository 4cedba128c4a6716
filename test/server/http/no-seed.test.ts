/** `serve --no-seed`: everything that a boot needs but the image itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetainfo, Swarm } from '../../../torrent/index.ts';
import { startServer, statusOf } from '../running-server.ts';

const { url, server, published } = await startServer({ seed: false });
const { version } = published.manifest;
const textOf = async (path: string): Promise<string> => (await fetch(url + path)).text();

test('no byte of the image leaves by HTTP, and nobody is sent there', async () => {
  for (const path of [
    `/images/lab/files/lab-${version}/root.squashfs`,
    `/images/lab/${version}/files/lab-${version}/root.squashfs`,
  ])
    assert.equal((await fetch(url + path)).status, 404);
  const metainfo = parseMetainfo(
    Buffer.from(await (await fetch(`${url}/images/lab/image.torrent`)).arrayBuffer()),
  );
  assert.deepEqual(metainfo.urlList, []);
  assert.deepEqual(metainfo.explicitPeers, []);
  assert.ok(metainfo.announce.length > 0);
  assert.deepEqual(
    server.releases().map(({ seederPort }) => seederPort),
    [undefined],
  );
  const { server: sent } = await statusOf(url);
  assert.deepEqual([sent.seederBytes, sent.webseedBytes], [0, 0]);
});

test('manifest and boot script are served, without a seeder in it', async () => {
  assert.equal((await fetch(`${url}/images/lab/manifest.json`)).status, 200);
  const script = await textOf('/ipxe?mac=52:54:00:00:00:01&uuid=0&arch=x86_64&platform=pcbios');
  assert.match(script, /swarmboot\.manifest=/);
  assert.doesNotMatch(script, /swarmboot\.peers=/);
});

test('the tracker still brings machines together', async (t) => {
  const metainfo = parseMetainfo(
    Buffer.from(await (await fetch(`${url}/images/lab/image.torrent`)).arrayBuffer()),
  );
  const bytes = Buffer.alloc(metainfo.totalLength);
  const store = {
    length: bytes.length,
    read: async (offset: number, target: Uint8Array) =>
      void target.set(bytes.subarray(offset, offset + target.length)),
    write: async () => {},
    sync: async () => {},
    close: async () => {},
  };
  const listen = { host: '127.0.0.1', port: 0 };
  const trackers = [`${url}/announce`];
  const one = await Swarm.start({ ...{ metainfo, store, listen, trackers }, complete: true });
  t.after(() => one.close());
  await new Promise((resolve) => setTimeout(resolve, 500));
  const two = await Swarm.start({ metainfo, store, listen, trackers });
  t.after(() => two.close());
  await new Promise<void>((resolve, reject) => {
    two.once('peer', () => resolve());
    setTimeout(() => reject(new Error('They did not meet within 20 s')), 20_000).unref();
  });
});
