/** A TCP port that was free a moment ago, for programs that cannot be told to take any. */
import { once } from 'node:events';
import { createServer } from 'node:net';

export async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string')
    throw new Error(`Cannot find a free port on ${address}: not a TCP address`);
  return bound.port;
}
