/** Outgoing connections: read into one buffer that all of them share, because each read is used up before the next. */
import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../endpoint.ts';

/** One read takes up to so much; more only costs cache. */
const READ_BYTES = 512 * 1024;

export class Dialer {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  /** `feed` gets bytes that are overwritten by the next read of any connection. Errors are the socket's events. */
  dial({ host, port }: Endpoint, feed: (chunk: Buffer) => void): Socket {
    // `onread` (no buffer per read, no stream) exists for outgoing sockets only.
    return connect({
      host,
      port,
      onread: {
        buffer: this.#buffer,
        callback: (length) => {
          feed(this.#buffer.subarray(0, length));
          return true;
        },
      },
    });
  }
}
