/**
 * HTTP answers of strangers: a webseed's, a tracker's and a boot server's, through Node's own parser and our bounded clients.
 * The first byte chooses the client, the second how the bytes are cut; the rest is what comes out of the connection.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { HttpError, httpExchange } from '../../../agent/http-get.ts';
import { encodeBencode } from '../../../torrent/bencode.ts';
import { parseMetainfo } from '../../../torrent/metainfo.ts';
import { announceOnce } from '../../../torrent/tracker-announce.ts';
import { TrackerError } from '../../../torrent/tracker-answer.ts';
import { createWebseed, WebseedError } from '../../../torrent/webseed.ts';
import type { Target } from '../target.ts';
import { ScriptedSocket } from './scripted-socket.ts';

const PIECE = 64;
const metainfo = parseMetainfo(
  encodeBencode({ info: { name: 'a', 'piece length': PIECE, length: 100, pieces: Buffer.alloc(40) } }),
);
const CANARY = 0xa5;
let script: Buffer = Buffer.alloc(0);
let cut = 0;
let connections = 0;

async function webseed(): Promise<string> {
  const memory = Buffer.alloc(PIECE + 32, CANARY);
  const seed = createWebseed({ url: 'http://10.0.0.1/a', metainfo, stallMs: 5000, totalMs: 5000 });
  try {
    await seed.fetchPiece(0, memory.subarray(16, 16 + PIECE));
    return 'webseed, piece';
  } catch (error) {
    if (!(error instanceof WebseedError)) throw error;
    return `webseed, ${error.code}`;
  } finally {
    seed.close();
    const around = Buffer.concat([memory.subarray(0, 16), memory.subarray(16 + PIECE)]);
    assert.ok(
      around.every((byte) => byte === CANARY),
      'bytes outside of the piece were written',
    );
  }
}

async function exchange(): Promise<string> {
  try {
    const body = await httpExchange('http://10.0.0.1/x', { limitBytes: 200, timeoutMs: 5000 });
    assert.ok(body.length <= 200);
    return 'exchange, body';
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return `exchange, ${error.code}`;
  }
}

async function announce(): Promise<string> {
  try {
    const answer = await announceOnce(
      {
        ...{ url: 'http://10.0.0.1/announce', infohash: Buffer.alloc(20, 1), peerId: Buffer.alloc(20, 2) },
        ...{ port: 1, event: 'started', uploaded: 0, downloaded: 0, left: 1 },
      },
      AbortSignal.timeout(5000),
    );
    assert.ok(answer.peers.length <= 200);
    for (const { port } of answer.peers) assert.ok(port > 0 && port <= 65_535);
    return `announce, ${answer.peers.length > 0}`;
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    return `announce, ${error.code}`;
  }
}

const CLIENTS = [webseed, exchange, announce];
const head = (kind: number, status: string, headers: readonly string[], body: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([kind, 0]),
    Buffer.from(`HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`),
    Buffer.from(body as string),
  ]);
const answer = encodeBencode({ interval: 5, peers: Buffer.from([10, 0, 0, 1, 0x1a, 0xe1]) });

export const makeTarget = (): Target => {
  // Every client of this thread gets the script, whatever host it wants.
  http.Agent.prototype.createConnection = () => {
    connections++;
    return new ScriptedSocket(script, cut);
  };
  return {
    sources: ['torrent/http-get.ts', 'torrent/webseed.ts', 'torrent/tracker-', 'agent/http-get.ts'],
    seeds: [
      head(0, '206 Partial Content', ['Content-Range: bytes 0-63/100', 'Content-Length: 64'], 'x'.repeat(64)),
      head(0, '200 OK', ['Content-Length: 100'], 'x'.repeat(100)),
      head(
        0,
        '206 x',
        ['Content-Range: bytes 0-63/100', 'Transfer-Encoding: chunked'],
        `40\r\n${'y'.repeat(64)}\r\n0\r\n\r\n`,
      ),
      head(0, '302 Found', ['Location: /b'], ''),
      head(1, '200 OK', ['Content-Length: 5'], 'hello'),
      head(1, '200 OK', [], 'until the end'),
      head(1, '301 Moved', ['Location: http://10.0.0.2/'], ''),
      head(2, '200 OK', [`Content-Length: ${answer.length}`], answer),
      head(2, '200 OK', ['Content-Encoding: gzip'], answer),
      head(2, '400 Bad Request', [], encodeBencode({ 'failure reason': 'no' })),
    ],
    dictionary: [
      '\r\n',
      '\r\n\r\n',
      'HTTP/1.1 ',
      'HTTP/1.0 200\r\n',
      '200',
      '206',
      '100 Continue',
      '101 Switching\r\nUpgrade: x',
      '302',
      '304',
      'Content-Length: ',
      'Transfer-Encoding: chunked\r\n',
      'Content-Range: bytes ',
      '0-63/100',
      'Location: ',
      'Connection: close\r\n',
      'Trailer: a\r\n',
      '0\r\n\r\n',
      'ffffffffff\r\n',
      'Content-Encoding: gzip\r\n',
    ],
    maxBytes: 1024,
    batch: 64,
    async run(input) {
      script = input.subarray(2);
      cut = (input[1] ?? 0) % 8;
      connections = 0;
      const word = await CLIENTS[(input[0] ?? 0) % CLIENTS.length]!();
      assert.ok(connections <= 20, `${connections} connections for one answer`);
      return word;
    },
  };
};
