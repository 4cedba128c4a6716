/** Accepts peers. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../endpoint.ts';

export interface Listener {
  readonly port: number;
  close(): void;
}

/** `::ffff:10.0.0.1` is 10.0.0.1 on a socket that takes both: one peer must not have two names. */
export const plainHost = (host: string): string => (host.startsWith('::ffff:') ? host.slice(7) : host);

/**
 * Sockets are handed over before anything is read from them (`pauseOnConnect`).
 *
 * Without a host it listens everywhere, on IPv6 too if there is any. Rejects if the port cannot be had; the message names it.
 */
export function startListener(
  options: { readonly host?: string | undefined; readonly port: number },
  accept: (socket: Socket, remote: Endpoint) => void,
): Promise<Listener> {
  const server: Server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    const { remoteAddress, remotePort } = socket;
    // Already gone again.
    if (remoteAddress === undefined || remotePort === undefined) socket.destroy();
    else accept(socket, { host: plainHost(remoteAddress), port: remotePort });
  });
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new Error(
          `Cannot listen for peers on ${options.host ?? 'any address,'} port ${options.port}: ${cause.code}`,
          {
            cause,
          },
        ),
      );
    });
    // Node's default is `::` with IPv4 in it, or 0.0.0.0 where the kernel has no IPv6.
    server.listen(
      options.host === undefined ? { port: options.port } : { host: options.host, port: options.port },
      () => {
        server.removeAllListeners('error');
        // Out of file descriptors, for instance: the next connection is tried again by the system.
        server.on('error', () => {});
        const address = server.address();
        const port = typeof address === 'object' && address ? address.port : 0;
        resolve({ port, close: () => server.close() });
      },
    );
  });
}
