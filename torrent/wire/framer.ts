/**
 * Bytes of a peer in, handshake, messages and payload out. Payload goes straight to where it belongs; everything else is
 * copied, because the bytes that come in live in a buffer that is used again at once.
 *
 * Invariant: memory is taken only for a message whose length is allowed for its id. After a refusal or `close`, nothing
 * is read any more.
 */
import { MESSAGE, refuseLength } from './message-rules.ts';

export interface FramerHandlers {
  /** 67 bytes: the handshake without its first, which is 19. */
  handshake(bytes: Buffer): void;
  /** Id and body. The buffer is the receiver's. */
  message(message: Buffer): void;
  keepAlive(): void;
  /** Where the payload goes: exactly `length` bytes, or undefined if it was not asked for. */
  land(piece: number, begin: number, length: number): Uint8Array | undefined;
  landed(piece: number, begin: number, bytes: Uint8Array): void;
  refused(reason: string): void;
}

const PROTOCOL = Buffer.from('\x13BitTorrent protocol', 'latin1');
const HANDSHAKE_BYTES = 68;

export class Framer {
  readonly #handlers: FramerHandlers;
  readonly #pieceCount: number | undefined;
  readonly #header = Buffer.alloc(13);
  #headerBytes = 0;
  /** Collects the handshake or a message. */
  #body: Buffer | undefined = Buffer.alloc(HANDSHAKE_BYTES);
  #bodyBytes = 0;
  #shaken = false;
  #target: Uint8Array | undefined;
  #targetBytes = 0;
  #piece = 0;
  #begin = 0;
  #closed = false;

  constructor(handlers: FramerHandlers, pieceCount: number | undefined) {
    this.#handlers = handlers;
    this.#pieceCount = pieceCount;
  }

  close(): void {
    this.#closed = true;
    this.#target = undefined;
    this.#body = undefined;
  }

  /** What is yet to come of the block that is arriving, in bytes; 0 if none is. */
  get missingBytes(): number {
    return this.#target ? this.#target.length - this.#targetBytes : 0;
  }

  /** The payload that is arriving goes aside, what is here of it included: its place belongs to others now. */
  divert(): void {
    if (!this.#target) return;
    const aside = new Uint8Array(this.#target.length);
    aside.set(this.#target.subarray(0, this.#targetBytes));
    this.#target = aside;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#closed) {
      if (this.#target) at = this.#takePayload(chunk, at, this.#target);
      else if (this.#body) at = this.#takeBody(chunk, at, this.#body);
      else at = this.#takeHeader(chunk, at);
    }
  }

  #refuse(reason: string): void {
    this.close();
    this.#handlers.refused(reason);
  }

  #takePayload(chunk: Buffer, at: number, target: Uint8Array): number {
    const end = Math.min(chunk.length, at + target.length - this.#targetBytes);
    chunk.copy(target, this.#targetBytes, at, end);
    this.#targetBytes += end - at;
    if (this.#targetBytes === target.length) {
      this.#target = undefined;
      this.#handlers.landed(this.#piece, this.#begin, target);
    }
    return end;
  }

  #takeBody(chunk: Buffer, at: number, body: Buffer): number {
    const end = Math.min(chunk.length, at + body.length - this.#bodyBytes);
    chunk.copy(body, this.#bodyBytes, at, end);
    this.#bodyBytes += end - at;
    if (!this.#shaken) {
      // Wrong from the first byte on: another protocol (or an encrypted handshake) need not be awaited to its end.
      const seen = Math.min(this.#bodyBytes, PROTOCOL.length);
      if (body.compare(PROTOCOL, 0, seen, 0, seen) !== 0) {
        this.#refuse('not-bittorrent');
        return end;
      }
    }
    if (this.#bodyBytes < body.length) return end;
    this.#body = undefined;
    if (this.#shaken) this.#handlers.message(body);
    else {
      this.#shaken = true;
      this.#handlers.handshake(body.subarray(1));
    }
    return end;
  }

  /** Length and id; for payload also index and begin. */
  #takeHeader(chunk: Buffer, start: number): number {
    const header = this.#header;
    let at = start;
    while (at < chunk.length) {
      header[this.#headerBytes++] = chunk[at++]!;
      if (this.#headerBytes < 4) continue;
      const length = header.readUInt32BE(0);
      if (this.#headerBytes === 4) {
        if (length > 0) continue;
        this.#headerBytes = 0;
        this.#handlers.keepAlive();
        return at;
      }
      const id = header[4]!;
      if (this.#headerBytes === 5) {
        const refusal = refuseLength(id, length, this.#pieceCount);
        if (refusal) {
          this.#refuse(refusal);
          return at;
        }
        if (id === MESSAGE.piece) continue;
        this.#headerBytes = 0;
        this.#beginBody(id, length);
        return at;
      }
      if (this.#headerBytes < 13) continue;
      this.#headerBytes = 0;
      this.#beginPayload(length - 9);
      return at;
    }
    return at;
  }

  #beginBody(id: number, length: number): void {
    const body = Buffer.allocUnsafe(length);
    body[0] = id;
    if (length === 1) {
      this.#handlers.message(body);
      return;
    }
    this.#body = body;
    this.#bodyBytes = 1;
  }

  #beginPayload(length: number): void {
    this.#piece = this.#header.readUInt32BE(5);
    this.#begin = this.#header.readUInt32BE(9);
    const target = this.#handlers.land(this.#piece, this.#begin, length);
    if (!target) {
      this.#refuse('unrequested-block');
      return;
    }
    this.#target = target;
    this.#targetBytes = 0;
  }
}
