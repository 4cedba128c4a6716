/** Real sockets on loopback, read into the shared buffer, whichever side dialed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Feed, Inlet } from '../../../torrent/wire/inlet.ts';

const HOST = '127.0.0.1';

/** One connection: `adopted` is the accepted end behind an inlet, `dialed` the other behind another. */
async function connection(
  t: TestContext,
  feeds: { readonly adopted: Feed; readonly dialed: Feed },
): Promise<{ server: Server; adopted: Socket; dialed: Socket }> {
  const server = createServer({ noDelay: true, pauseOnConnect: true });
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dialed = new Inlet().dial({ host: HOST, port }, feeds.dialed);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const adopted = new Inlet().adopt(accepted, feeds.adopted);
  t.after(() => {
    dialed.destroy();
    adopted.destroy();
    server.close();
  });
  return { server, adopted, dialed };
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited++) {
    assert(waited < 5000, 'it happens within seconds');
    await sleep(1);
  }
}

test('both ends read and write, and both hear of the end', async (t) => {
  const heard = { adopted: '', dialed: '' };
  const { adopted, dialed } = await connection(t, {
    adopted: (chunk) => {
      heard.adopted += chunk.toString('latin1');
      return 'now';
    },
    dialed: (chunk) => {
      heard.dialed += chunk.toString('latin1');
      return 'now';
    },
  });
  dialed.write('ping');
  adopted.write('pong');
  await until(() => heard.adopted === 'ping' && heard.dialed === 'pong');
  let closed = 0;
  adopted.on('close', () => closed++);
  dialed.on('close', () => closed++);
  dialed.destroy();
  await until(() => closed === 2);
});

for (const when of ['soon', 'later'] as const)
  test(`what trickles is gathered if more is wanted ${when}, and nothing is lost`, async (t) => {
    const reads: number[] = [];
    let got = '';
    const { dialed } = await connection(t, {
      adopted: (chunk) => {
        reads.push(chunk.length);
        got += chunk.toString('latin1');
        return when;
      },
      dialed: () => 'now',
    });
    let sent = '';
    for (let at = 0; at < 100; at++) {
      const word = `${at},`;
      sent += word;
      dialed.write(word);
      // Each on its way before the next: a reader without rests takes nearly every one by itself.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => got.length === sent.length);
    assert.equal(got, sent);
    assert(reads.length < 50, `${reads.length} reads of 100 writes`);
  });

test('a peer that goes away while its connection rests is noticed', async (t) => {
  const { adopted, dialed } = await connection(t, { adopted: () => 'later', dialed: () => 'now' });
  let closed = false;
  adopted.on('close', () => {
    closed = true;
  });
  dialed.write('x');
  await sleep(1);
  dialed.destroy();
  await until(() => closed);
});

test('a server can end although its sockets were adopted', async (t) => {
  const { server, adopted, dialed } = await connection(t, { adopted: () => 'now', dialed: () => 'now' });
  let ended = false;
  server.close(() => {
    ended = true;
  });
  adopted.destroy();
  dialed.destroy();
  await until(() => ended);
});
