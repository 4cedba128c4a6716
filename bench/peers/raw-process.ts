/**
 * Sends or receives one payload over a plain socket or HTTP, hashing with SHA-256 what it receives, as our engine does:
 * the least that a verified download of a hybrid torrent can do on one thread.
 *
 * Usage: node raw-process.ts raw|http OPTIONS-AS-JSON
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createReadStream, mkdirSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { createServer as createHttpServer, get } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from './client.ts';
import { obey, say } from './commands.ts';
import type { RawOptions } from './raw.ts';

const [protocol, json] = process.argv.slice(2);
const options = JSON.parse(json ?? '{}') as RawOptions;
const { path } = options;
const PIECE_BYTES = 2 ** 20;

/** Takes bytes in any portions, and hashes and writes them in pieces. */
function sink(): { take(bytes: Uint8Array): void; end(): void } {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let filled = 0;
  const flush = (): void => {
    const bytes = piece.subarray(0, filled);
    hash('sha256', bytes, 'binary');
    writeSync(file, bytes);
    filled = 0;
  };
  return {
    take(bytes) {
      for (let taken = 0; taken < bytes.length; ) {
        const part = bytes.subarray(taken, taken + PIECE_BYTES - filled);
        piece.set(part, filled);
        filled += part.length;
        taken += part.length;
        if (filled === PIECE_BYTES) flush();
      }
    },
    end() {
      if (filled > 0) flush();
      say({ event: 'done' });
    },
  };
}

/** Sends the payload from a buffer that is read a MiB at a time, waiting for the socket to drain. */
function rawServer(): Server {
  return createServer((socket) => {
    const file = openSync(path, 'r');
    const buffers = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
    socket.on('error', () => {});
    const next = (turn: number): void => {
      const buffer = buffers[turn % 2] as Buffer;
      const bytes = readSync(file, buffer);
      if (bytes === 0) socket.end();
      else socket.write(buffer.subarray(0, bytes), () => next(turn + 1));
    };
    next(0);
  });
}

function rawLeech(peer: Endpoint): void {
  const { take, end } = sink();
  const socket = connect({
    ...peer,
    onread: {
      buffer: Buffer.allocUnsafe(PIECE_BYTES),
      callback(length, buffer) {
        take(buffer.subarray(0, length));
        return true;
      },
    },
  });
  socket.on('end', end);
}

function httpServer(): Server {
  return createHttpServer((_, response) => {
    response.setHeader('Content-Length', statSync(path).size);
    createReadStream(path, { highWaterMark: PIECE_BYTES }).pipe(response);
  });
}

function httpLeech({ host, port }: Endpoint): void {
  const { take, end } = sink();
  get({ host, port, path: '/' }, (response) => {
    assert.equal(response.statusCode, 200);
    response.on('data', take).on('end', end);
  });
}

if (options.mode === 'seed') {
  readFileSync(path); // as warm as the seeds that hash it first
  const server = (protocol === 'http' ? httpServer() : rawServer()).listen(
    options.port,
    options.address,
    () => say({ event: 'ready', port: (server.address() as AddressInfo).port }),
  );
  obey(() => sleep(0));
} else {
  say({ event: 'ready', port: 0 });
  obey(async (peers) => {
    const peer = peers[0];
    assert(peer, 'A raw leecher needs the address of its seeder');
    (protocol === 'http' ? httpLeech : rawLeech)(peer);
  });
}
