/** A small real HTTP server on loopback whose answers a test sets. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface HttpFixture {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: string[];
  /** Bodies of POSTs, in order. */
  readonly bodies: string[];
  /** What a path answers; undefined: 404. */
  reply(path: string, body: string | Uint8Array | undefined): void;
  /** Takes over a path altogether. */
  handle(path: string, listener: RequestListener): void;
  close(): Promise<void>;
}

export async function serve(context: TestContext): Promise<HttpFixture> {
  const replies = new Map<string, string | Uint8Array>();
  const listeners = new Map<string, RequestListener>();
  const requests: string[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      if (request.method === 'POST') bodies.push(body);
      const listener = listeners.get(path);
      if (listener) return listener(request, response);
      const reply = replies.get(path);
      if (reply === undefined) response.writeHead(404).end();
      else response.end(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  context.after(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    bodies,
    reply: (path, body) => {
      if (body === undefined) replies.delete(path);
      else replies.set(path, body);
    },
    handle: (path, listener) => void listeners.set(path, listener),
    close,
  };
}
