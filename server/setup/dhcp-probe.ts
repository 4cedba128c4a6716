/** Asks the network of one interface who gives out addresses there. Takes no lease. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDiscover, type Offer, parseOffer } from './dhcp-discover.ts';

const [SERVER_PORT, CLIENT_PORT] = [67, 68];
const TRIES = 3;
/** dnsmasq pings an address for a second before it offers it. */
const TRY_MS = 1500;

async function bound(address: string): Promise<Socket> {
  // Another DHCP client may have the port: both are heard.
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(CLIENT_PORT, address);
  await once(socket, 'listening');
  return socket;
}

/**
 * The servers that offer an address, each once. Linux sends a limited broadcast through the interface whose address the
 * socket is bound to; answers come to the broadcast address, which only a socket without one hears.
 * Throws a system error without the right to use port 68 (root).
 */
export async function probeDhcp(
  { address, mac }: { readonly address: string; readonly mac: string },
  xid: number,
): Promise<Offer[]> {
  const sender = await bound(address);
  const offers = new Map<string, Offer>();
  try {
    const hearer = await bound('0.0.0.0');
    try {
      hearer.on('message', (packet: Buffer) => {
        const offer = parseOffer(packet, xid);
        if (offer) offers.set(offer.server, offer);
      });
      sender.setBroadcast(true);
      const packet = makeDiscover(mac, xid);
      for (let tries = 0; tries < TRIES && offers.size === 0; tries++) {
        sender.send(packet, SERVER_PORT, '255.255.255.255');
        await sleep(TRY_MS);
      }
    } finally {
      hearer.close();
    }
  } finally {
    sender.close();
  }
  return [...offers.values()];
}
