import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { firstConnection, hasConnection } from '../../bench/connections.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue\n';
const line = (local: string, state: string) => `   0: ${local} 0100007F:9C40 ${state} 00000000:00000000\n`;

test('a connection on the port counts, whether it is still open or not', () => {
  assert(hasConnection(HEAD + line('0100007F:1AE1', '01'), 6881));
  assert(hasConnection(HEAD + line('0100007F:1AE1', '06'), 6881));
});

test('a listener, another port and the other end do not count', () => {
  assert(!hasConnection(HEAD + line('0100007F:1AE1', '0A'), 6881));
  assert(!hasConnection(HEAD + line('0100007F:1AE2', '01'), 6881));
  assert(!hasConnection(HEAD + line('0100007F:1AE2', '01').replace('9C40', '1AE1'), 6881));
  assert(!hasConnection(HEAD, 6881));
});

test('the first connection of a real socket is found', async (t) => {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const found = firstConnection(port, AbortSignal.timeout(10_000));
  const beforeMs = performance.now();
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  assert((await found) <= performance.now());
  assert((await found) >= beforeMs - 1_000);
});

test('waiting for a connection ends with its signal', async () => {
  await assert.rejects(firstConnection(1, AbortSignal.abort(new Error('enough'))), /enough/);
});
