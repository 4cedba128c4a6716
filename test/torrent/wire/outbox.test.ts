/** What goes out together, what rides along, and when a silent reader is noticed: over a real connection. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Outbox } from '../../../torrent/wire/outbox.ts';

/** Both ends; `received`: what the far one has read so far. */
async function makePair(t: TestContext, { reads = true } = {}) {
  const server = createServer({ pauseOnConnect: !reads }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect(port, '127.0.0.1');
  const [far] = await accepted;
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  const received: Buffer[] = [];
  if (reads) far.on('data', (chunk: Buffer) => received.push(chunk));
  return { near, far, received };
}

const text = (words: readonly Buffer[]): string => Buffer.concat(words).toString();

test('what is in no hurry goes with the next bytes that are, or when told', async (t) => {
  const { near, far, received } = await makePair(t);
  const outbox = new Outbox(near, () => 0);
  outbox.pushLater(Buffer.from('one '));
  outbox.pushLater(Buffer.from('two '));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(near.bytesWritten, 0);
  assert.equal(outbox.pendingBytes, 8);
  outbox.push(Buffer.from('three '));
  await once(far, 'data');
  assert.equal(text(received), 'one two three ');
  assert.equal(received.length, 1, 'one write');
  outbox.pushLater(Buffer.from('four'));
  outbox.flush();
  await once(far, 'data');
  assert.equal(text(received), 'one two three four');
  assert.equal(outbox.pendingBytes, 0);
});

test('flushing nothing does not hide that the peer takes nothing', async (t) => {
  const { near } = await makePair(t, { reads: false });
  let now = 0;
  const outbox = new Outbox(near, () => now);
  // More than the kernel's buffers of both ends.
  outbox.push(Buffer.alloc(64 * 2 ** 20));
  await new Promise((resolve) => setTimeout(resolve, 50));
  now = 5000;
  outbox.flush();
  assert.ok(outbox.pendingBytes > 0);
  assert.equal(outbox.stalledMs, 5000);
});
