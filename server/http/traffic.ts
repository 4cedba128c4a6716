/** Counts the bytes of files that really went out, transfers that still run included. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type TrafficKind = 'stage1' | 'webseed';

interface Transfer {
  readonly kind: TrafficKind;
  readonly socket: Socket;
  readonly before: number;
  readonly response: ServerResponse;
}

/** Bytes of the body so far. What the socket has sent holds the header too, which the body's length cuts off. */
function sentBytes({ socket, before, response }: Transfer): number {
  const length = Number(response.getHeader('content-length') ?? 0);
  // `bytesWritten` is undefined once a socket is torn down half-way.
  const written = (socket.bytesWritten as number | undefined) ?? before;
  return Math.max(0, Math.min(length, written - before));
}

export class Traffic {
  readonly #done: Record<TrafficKind, number> = { stage1: 0, webseed: 0 };
  readonly #running = new Set<Transfer>();

  /** Counts the body of `response` as `kind`, from now until it closes. */
  count(kind: TrafficKind, response: ServerResponse): void {
    const { socket } = response;
    if (!socket || response.req.method === 'HEAD') return;
    const transfer: Transfer = { kind, socket, before: socket.bytesWritten, response };
    this.#running.add(transfer);
    response.once('close', () => {
      this.#running.delete(transfer);
      this.#done[kind] += sentBytes(transfer);
    });
  }

  bytes(kind: TrafficKind): number {
    let sum = this.#done[kind];
    for (const transfer of this.#running) if (transfer.kind === kind) sum += sentBytes(transfer);
    return sum;
  }
}
