/** A real BitTorrent tracker (the server of `bittorrent-tracker`), for clients that cannot be told of peers. */
import type { AddressInfo } from 'node:net';
import { Server } from 'bittorrent-tracker';

export interface Tracker {
  readonly url: string;
  /** Announces that were answered so far. */
  readonly announces: () => number;
  close(): Promise<void>;
}

/** Clients are told to come back this often, in milliseconds. */
const INTERVAL_MS = 3_000;

export async function startTracker(address: string, wantedPort = 0): Promise<Tracker> {
  const server = new Server({ http: true, udp: false, ws: false, stats: false, interval: INTERVAL_MS });
  let announces = 0;
  server.on('error', () => {}); // a client that hangs up in mid-announce
  server.on('warning', () => {}); // a malformed announce
  for (const event of ['start', 'update', 'complete', 'stop']) server.on(event, () => announces++);
  await new Promise<void>((resolve) => server.listen(wantedPort, address, resolve));
  const { port } = server.http.address() as AddressInfo;
  return {
    url: `http://${address}:${port}/announce`,
    announces: () => announces,
    close: () =>
      new Promise((resolve) => {
        server.http.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
