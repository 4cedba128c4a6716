/**
 * Few connections for one address, so that one machine cannot take them all. Behind a proxy on this very machine every client
 * has its address: loopback is not counted.
 */
import type { Server } from 'node:net';

/** iPXE has one, stage-1 and an agent a few; a room behind one translated address has a few for each machine. */
export const MOST_PER_ADDRESS = 256;

const isLoopback = (address: string): boolean => /^(?:::ffff:)?127\.|^::1$/.test(address);

/** Closes what one address opens beyond `most`. */
export function limitConnections(
  server: Server,
  most = MOST_PER_ADDRESS,
  isExempt: (address: string) => boolean = isLoopback,
): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const { remoteAddress: address } = socket;
    if (address === undefined || isExempt(address)) return;
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.on('close', () => {
      const left = open.get(address)! - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
    if (count > most) socket.destroy();
  });
}
