/**
 * Finds the others on the link and is found by them (BEP 14), without any server. Owns the sockets and the timer; when
 * to speak is for policy/local-announcing.ts to say.
 *
 * Nothing in here throws or rejects: a machine without multicast has trackers and peers left.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { type Endpoint, makeEndpoint } from '../endpoint.ts';
import { LocalAnnouncing } from '../policy/local-announcing.ts';
import { type LinkAddress, linkAddresses } from './link-addresses.ts';
import {
  formatLocalAnnouncement,
  LOCAL_GROUP_V4,
  LOCAL_GROUP_V6,
  LOCAL_PORT,
  parseLocalAnnouncement,
} from './local-announcement.ts';

export interface LocalDiscoveryOptions {
  /** 40 hexadecimal digits: what our listener answers to, and is announced. */
  readonly infohash: string;
  /** Other names of the same torrent that strangers may announce. */
  readonly alsoKnownAs: readonly string[];
  /** Our listening port; 0: we only listen to others. */
  readonly port: number;
  /** Where we listen, see `linkAddresses`. */
  readonly host: string | undefined;
  /** Connections now. */
  readonly peers: () => number;
  readonly onPeer: (endpoint: Endpoint) => void;
  /** Once, if there is no way to hear or to speak. */
  readonly onWarning: (message: string) => void;
  /** In ms. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface LocalDiscovery {
  close(): void;
}

/** Interfaces that come up later are noticed within this time, */
const LONGEST_SLEEP_MS = 10_000;
/** or within this, while one of them does not work: an IPv6 address takes a second to be proven unique (RFC 4862). */
const RETRY_MS = 500;
const TYPES = { IPv4: 'udp4', IPv6: 'udp6' } as const;
const GROUPS = { IPv4: LOCAL_GROUP_V4, IPv6: LOCAL_GROUP_V6 } as const;

class LinkListener implements LocalDiscovery {
  readonly #options: LocalDiscoveryOptions;
  readonly #announcing: LocalAnnouncing;
  readonly #names: ReadonlySet<string>;
  readonly #cookie: string;
  /** One for each family, made when there is an interface for it. */
  readonly #ears = new Map<LinkAddress['family'], Socket>();
  readonly #bound = new Set<Socket>();
  readonly #mouths = new Set<Socket>();
  /** Interfaces whose groups we are in, and those that an announcement has left through. */
  readonly #joined = new Set<string>();
  readonly #spoken = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #warned = false;
  #closed = false;

  constructor(options: LocalDiscoveryOptions) {
    this.#options = options;
    this.#names = new Set([options.infohash, ...options.alsoKnownAs]);
    this.#cookie = Math.floor(options.random() * 2 ** 48).toString(16);
    this.#announcing = new LocalAnnouncing({ startedAt: options.now(), random: options.random });
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const socket of [...this.#ears.values(), ...this.#mouths]) socket.close();
    this.#ears.clear();
    this.#mouths.clear();
  }

  #wake(): void {
    if (this.#closed) return;
    const { port, peers, now } = this.#options;
    const addresses = this.#addresses();
    this.#listen(addresses);
    const due = now() >= this.#announcing.dueAt;
    let silent = false;
    for (const address of addresses) {
      if (port === 0 || (!due && this.#spoken.has(address.multicastInterface))) continue;
      silent ||= !this.#spoken.has(address.multicastInterface);
      this.#speak(address);
    }
    if (due && addresses.length > 0) this.#announcing.sent(peers(), now());
    this.#sleep(addresses.length === 0 || silent ? RETRY_MS : LONGEST_SLEEP_MS);
  }

  #sleep(longestMs: number): void {
    clearTimeout(this.#timer);
    const dueIn = this.#announcing.dueAt - this.#options.now();
    // Overdue means that there is no interface yet.
    const ms = dueIn > 0 ? Math.min(longestMs, dueIn) : longestMs;
    this.#timer = setTimeout(() => this.#wake(), Math.ceil(ms));
    this.#timer.unref();
  }

  /** The interfaces of now; those that went away took their memberships along. */
  #addresses(): LinkAddress[] {
    const addresses = linkAddresses(networkInterfaces(), this.#options.host);
    const present = new Set(addresses.map(({ multicastInterface }) => multicastInterface));
    for (const known of [this.#joined, this.#spoken]) {
      for (const name of known) if (!present.has(name)) known.delete(name);
    }
    return addresses;
  }

  /** Joins the groups on interfaces that are new. */
  #listen(addresses: readonly LinkAddress[]): void {
    for (const { family, multicastInterface } of addresses) {
      const ear = this.#earOf(family);
      if (!this.#bound.has(ear) || this.#joined.has(multicastInterface)) continue;
      try {
        ear.addMembership(GROUPS[family], multicastInterface);
        this.#joined.add(multicastInterface);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EADDRINUSE') this.#joined.add(multicastInterface);
        else this.#warn(`cannot join the group on ${multicastInterface}: ${code}`);
      }
    }
  }

  #earOf(family: LinkAddress['family']): Socket {
    const ear = this.#ears.get(family);
    if (ear) return ear;
    // Several agents of one machine listen on the same port: multicast reaches all of them.
    const socket = createSocket({ type: TYPES[family], reuseAddr: true, ipv6Only: family === 'IPv6' });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#warn(`cannot listen on UDP port ${LOCAL_PORT}: ${error.code}`);
    });
    socket.on('message', (datagram, from) => this.#hear(datagram, from));
    socket.bind({ port: LOCAL_PORT, address: family === 'IPv4' ? '0.0.0.0' : '::' }, () => {
      if (this.#closed) return;
      socket.unref();
      this.#bound.add(socket);
      this.#listen(this.#addresses());
    });
    this.#ears.set(family, socket);
    return socket;
  }

  /** A socket for one datagram: this is rare, and interfaces come and go. */
  #speak({ family, address, multicastInterface }: LinkAddress): void {
    const { port, infohash } = this.#options;
    const socket = createSocket({ type: TYPES[family] });
    this.#mouths.add(socket);
    const done = (): void => {
      if (this.#mouths.delete(socket)) socket.close();
    };
    // An interface without a link, or one that has just gone: the next announcement looks again.
    socket.on('error', done);
    socket.bind({ port: 0, address }, () => {
      if (this.#closed) return;
      try {
        // BEP 14: the link, no farther.
        socket.setMulticastTTL(1);
        socket.setMulticastInterface(multicastInterface);
      } catch {
        done();
        return;
      }
      const datagram = formatLocalAnnouncement(
        { port, infohashes: [infohash], cookie: this.#cookie },
        family,
      );
      socket.send(datagram, LOCAL_PORT, GROUPS[family], (error) => {
        if (!error) this.#spoken.add(multicastInterface);
        done();
      });
    });
  }

  #hear(datagram: Buffer, { address }: RemoteInfo): void {
    const { peers, now, onPeer } = this.#options;
    if (this.#closed || !this.#announcing.admits(now())) return;
    const announcement = parseLocalAnnouncement(datagram);
    if (typeof announcement === 'string' || announcement.cookie === this.#cookie) return;
    if (!announcement.infohashes.some((infohash) => this.#names.has(infohash))) return;
    const endpoint = makeEndpoint(address, announcement.port);
    if (!endpoint) return;
    if (this.#announcing.heard(address, endpoint.port, peers(), now()) === 'dial') onPeer(endpoint);
    this.#sleep(LONGEST_SLEEP_MS);
  }

  #warn(what: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.onWarning(`Local discovery is limited: ${what}`);
  }
}

/** Speaks at once. Never throws. */
export const startLocalDiscovery = (options: LocalDiscoveryOptions): LocalDiscovery =>
  new LinkListener(options);
