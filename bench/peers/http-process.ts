/**
 * A plain HTTP server for the files below one folder, with ranges (RFC 9110, one per request) and a count of what it
 * sent. It stands for any server that an administrator may have: nginx, Apache, a mirror.
 *
 * Usage: node http-process.ts {"folder", "address", "port"}
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { obey, say } from './commands.ts';
import type { HttpServerOptions } from './http.ts';

const { folder, address, port } = JSON.parse(process.argv[2] ?? '{}') as HttpServerOptions;
const BUFFER_BYTES = 256 * 1024;
let sent = 0;

const server = createServer((request, response) => {
  send(new URL(request.url ?? '/', 'http://server').pathname, request.headers.range, response).catch(() =>
    response.writeHead(404).end(),
  );
});

/** Rejects if there is no such file. */
async function send(path: string, range: string | undefined, response: ServerResponse): Promise<void> {
  const file = join(folder, normalize(path));
  const { size } = await stat(file);
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const start = Number(from ?? 0);
  const end = to ? Math.min(Number(to), size - 1) : size - 1;
  response.writeHead(from === undefined ? 200 : 206, {
    'Content-Length': end + 1 - start,
    'Accept-Ranges': 'bytes',
    ...(from === undefined ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` }),
  });
  const stream = createReadStream(file, { start, end, highWaterMark: BUFFER_BYTES });
  stream.on('error', () => response.destroy());
  stream.on('data', (chunk) => {
    sent += chunk.length;
  });
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

server.listen(port, address, () => say({ event: 'ready', port }));
obey(
  async () => {},
  () => ({ sent, received: 0 }),
);
