/** The tracker in the running server: what it answers, and that nothing that is sent to it ends the process. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { type BencodeValue, decodeBencode } from '../../../torrent/index.ts';
import { get, rawRequest } from '../http/raw-request.ts';
import { startServer } from '../running-server.ts';

const { url, server, published } = await startServer();
const infohash = Buffer.from(published.manifest.torrent.infohashV1, 'hex');
const seederPort = server.releases()[0]?.seederPort ?? 0;
const escapeBytes = (bytes: Buffer): string => bytes.toString('hex').replace(/../g, '%$&');
const peerId = (index: number): Buffer => Buffer.from(`-XX0000-${String(index).padStart(12, '0')}`);

async function ask(path: string): Promise<ReadonlyMap<string, BencodeValue>> {
  const answer = await fetch(url + path);
  return decodeBencode(Buffer.from(await answer.arrayBuffer())) as ReadonlyMap<string, BencodeValue>;
}
const announce = (index: number, more = '') =>
  ask(
    `/announce?info_hash=${escapeBytes(infohash)}&peer_id=${escapeBytes(peerId(index))}&port=${7000 + index}&left=5&compact=1${more}`,
  );

/** Ports of a compact peer list. */
const portsOf = (peers: BencodeValue | undefined): number[] => {
  assert.ok(Buffer.isBuffer(peers));
  return Array.from({ length: peers.length / 6 }, (_, index) => peers.readUInt16BE(index * 6 + 4));
};

const sockets: Socket[] = [];
after(() => {
  for (const socket of sockets) socket.close();
});
async function udpSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.connect(server.httpPort, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}
async function exchange(socket: Socket, message: Buffer): Promise<Buffer> {
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(5000) });
  socket.send(message);
  return ((await answer) as [Buffer])[0];
}
const CONNECT = Buffer.from('0000041727101980' + '00000000' + '01020304', 'hex');
function udpAnnounce(id: Buffer, port: number): Buffer {
  const message = Buffer.alloc(98);
  id.copy(message);
  message.writeUInt32BE(1, 8);
  infohash.copy(message, 16);
  peerId(port).copy(message, 36);
  message.writeUInt32BE(5, 68); // left
  message.writeUInt32BE(2, 80); // started
  message.writeInt32BE(-1, 92);
  message.writeUInt16BE(port, 96);
  return message;
}

test('peers find the seeder and each other, over HTTP and UDP', async () => {
  assert.deepEqual(portsOf((await announce(1, '&event=started')).get('peers'))[0], seederPort);
  const socket = await udpSocket();
  const id = (await exchange(socket, CONNECT)).subarray(8, 16);
  const answer = await exchange(socket, udpAnnounce(id, 7002));
  assert.equal(answer.readUInt32BE(0), 1);
  const ports = portsOf(answer.subarray(20));
  assert.ok(ports.includes(seederPort) && ports.includes(7001), String(ports));
  const http = await announce(3, '&event=started');
  assert.ok(portsOf(http.get('peers')).includes(7002));
  assert.equal(http.get('interval'), 15);
  const scrape = (await ask(`/scrape?info_hash=${escapeBytes(infohash)}`)).get('files') as ReadonlyMap<
    string,
    BencodeValue
  >;
  const counts = scrape.get(infohash.toString('latin1')) as ReadonlyMap<string, BencodeValue>;
  assert.deepEqual([counts.get('complete'), counts.get('incomplete')], [1, 3]);
  assert.ok(!portsOf((await announce(1, '&event=stopped')).get('peers')).includes(0));
});

test('a torrent that is not ours is refused', async () => {
  const foreign = await ask(`/announce?info_hash=${'a'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=1&left=1`);
  assert.match(String(foreign.get('failure reason')), /does not know that torrent/);
  const scrape = await ask(`/scrape?info_hash=${'a'.repeat(20)}`);
  assert.equal((scrape.get('files') as ReadonlyMap<string, BencodeValue>).size, 0);
});

test('hostile HTTP announces are answered, and the server goes on', async () => {
  const good = `info_hash=${escapeBytes(infohash)}&peer_id=${escapeBytes(peerId(9))}&port=9`;
  for (const query of [
    '',
    '?',
    '?info_hash',
    `?${good}&compact=2`,
    `?${good}&event=__proto__`,
    `?${good}&event=constructor&event=x`,
    `?${good}&numwant=-1&left=-1`,
    `?${good}&numwant=99999999999999999999`,
    `?${good}&ip=8.8.8.8`,
    `?${good}&left=%00`,
    `?info_hash=${'%00'.repeat(20)}&peer_id=${'%ff'.repeat(20)}&port=1`,
    `?info_hash[]=x&peer_id=${'b'.repeat(20)}&port=1`,
    `?${'&'.repeat(5000)}`,
    '?l-3:=l-3:',
  ]) {
    for (const action of ['announce', 'scrape']) {
      const answer = await rawRequest(server.httpPort, get(`/${action}${query}`));
      assert.match(answer, /^HTTP\/1\.1 200 /, query.slice(0, 60));
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '');
      decodeBencode(Buffer.from(body, 'latin1'));
    }
  }
  const peers = (await announce(9)).get('peers') as Buffer;
  assert.ok(!peers.includes(Buffer.from([8, 8, 8, 8])), 'nobody announces for another address');
});

test('hostile datagrams are dropped, and the server goes on', async () => {
  const socket = await udpSocket();
  const id = (await exchange(socket, CONNECT)).subarray(8, 16);
  const whole = udpAnnounce(id, 7010);
  for (let length = 0; length < whole.length; length++) socket.send(whole.subarray(0, length));
  for (const [offset, value] of [
    [8, 0xffffffff],
    [8, 3],
    [80, 0xffffffff],
    [0, 0],
  ] as const) {
    const broken = Buffer.from(whole);
    broken.writeUInt32BE(value, offset);
    socket.send(broken);
  }
  const scrape = Buffer.alloc(60_000);
  id.copy(scrape);
  scrape.writeUInt32BE(2, 8);
  socket.send(scrape);
  socket.send(Buffer.from('d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe'));
  // Datagrams of one socket arrive in order on loopback: the first answer is the one to the good announce.
  const answer = await exchange(socket, whole);
  assert.equal(answer.readUInt32BE(0), 1);
  assert.equal(answer.toString('hex', 4, 8), '00000000', 'its transaction id');
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});
