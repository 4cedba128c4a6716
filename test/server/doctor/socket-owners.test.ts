import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { parseListeners, socketOwners } from '../../../server/doctor/socket-owners.ts';

test('only sockets that wait for strangers are listeners', () => {
  const tcp = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 00000000:1BA8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0',
    '   1: 0100007F:1BA8 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0',
  ].join('\n');
  assert.deepEqual(parseListeners(tcp, 'tcp'), [{ protocol: 'tcp', port: 7080, inode: '4711' }]);
  assert.deepEqual(parseListeners('', 'udp'), []);
  assert.deepEqual(parseListeners('header\nrubbish\n', 'udp'), []);
});

test('this very process is found behind its own ports', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  after(() => {
    server.close();
    socket.close();
  });
  await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
  const owners = socketOwners();
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  assert.equal(owners.get(`tcp ${address.port}`)?.pid, process.pid);
  assert.equal(owners.get(`udp ${socket.address().port}`)?.pid, process.pid);
});
