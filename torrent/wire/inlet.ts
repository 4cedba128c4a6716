/**
 * How bytes come in from sockets: all connections are read into one buffer that they share, because each read is used up
 * before the next. A connection that trickles is read every few milliseconds instead of whenever the kernel has a little
 * more: at 50 Mbit/s that is a tenth of the wake-ups, and they were most of what a download cost.
 */
import { connect, type OnReadOpts, Socket } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import { REST_MS, type Rest } from '../policy/read-pace.ts';

/** One read takes up to so much; more only costs cache. */
const READ_BYTES = 2 ** 20;

/** Gets bytes that are overwritten by the next read of any connection. Returns when more shall be read: see `ReadPace`. */
export type Feed = (chunk: Buffer) => 'now' | Rest;

/** Sockets that rest together until the first of them is due. */
interface Dormitory {
  readonly sockets: Set<Socket>;
  timer: NodeJS.Timeout | undefined;
}

/** Net's own `Socket` keeps this to itself. */
interface WithHandle {
  _handle?: object | null;
}

export class Inlet {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #resting: Readonly<Record<Rest, Dormitory>> = {
    soon: { sockets: new Set(), timer: undefined },
    later: { sockets: new Set(), timer: undefined },
  };

  /** Errors are the socket's events. */
  dial({ host, port }: Endpoint, feed: Feed): Socket {
    const socket: Socket = connect({ host, port, onread: this.#onread(feed, () => socket) });
    return socket;
  }

  /**
   * The same for a socket that came from a server with `pauseOnConnect`; use the one that is returned from then on.
   * Node offers `onread` (no buffer of 64 KiB per read, no stream) to outgoing sockets only. Its constructor takes it with a
   * handle as well, though that is not documented; without a handle to be had, bytes come as a stream's do.
   */
  adopt(accepted: Socket, feed: Feed): Socket {
    const { _handle: handle } = accepted as unknown as WithHandle;
    if (!handle) {
      accepted.on('data', (chunk: Buffer) => feed(chunk));
      accepted.resume();
      return accepted;
    }
    (accepted as unknown as WithHandle)._handle = null;
    // It has nothing any more; this takes it off the server's count.
    accepted.destroy();
    const options = { handle, onread: this.#onread(feed, () => socket) };
    const socket: Socket = new Socket(options as ConstructorParameters<typeof Socket>[0]);
    return socket;
  }

  #onread(feed: Feed, socket: () => Socket): OnReadOpts {
    return {
      buffer: this.#buffer,
      callback: (length) => {
        const next = feed(this.#buffer.subarray(0, length));
        if (next === 'now') return true;
        this.#rest(socket(), next);
        return false;
      },
    };
  }

  #rest(socket: Socket, how: Rest): void {
    const resting = this.#resting[how];
    resting.sockets.add(socket);
    resting.timer ??= setTimeout(() => {
      resting.timer = undefined;
      const rested = [...resting.sockets];
      resting.sockets.clear();
      for (const each of rested) if (!each.destroyed) each.resume();
    }, REST_MS[how]);
  }
}
