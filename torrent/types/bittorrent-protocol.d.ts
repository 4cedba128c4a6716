/**
 * bittorrent-protocol 5.0.9, as far as it is used here. Names that begin with `_` are private to the package: the exact
 * version is pinned, and test/torrent/wire/guarded-wire.test.ts probes each of them.
 */
declare module 'bittorrent-protocol' {
  import type { EventEmitter } from 'node:events';

  export interface WireRequest {
    readonly piece: number;
    readonly offset: number;
    readonly length: number;
  }

  export interface WireExtension {
    onHandshake?(infohash: string, peerId: string, extensions: unknown): void;
    onExtendedHandshake?(handshake: Record<string, unknown>): void;
    onMessage?(payload: Uint8Array): void;
  }

  export default class Wire extends EventEmitter {
    constructor(type?: 'tcpOutgoing' | 'tcpIncoming' | '');
    readonly amChoking: boolean;
    readonly amInterested: boolean;
    readonly peerChoking: boolean;
    readonly peerInterested: boolean;
    readonly peerId: string | null;
    readonly peerIdBuffer: Uint8Array | null;
    readonly hasFast: boolean;
    readonly destroyed: boolean;
    readonly requests: WireRequest[];
    readonly peerRequests: WireRequest[];
    readonly peerPieces: { get(piece: number): boolean };
    readonly peerExtensions: { fast?: boolean; extended?: boolean };
    /** Message id -> name, of what comes to us. */
    readonly extendedMapping: Record<number, string>;
    readonly peerExtendedMapping: Record<string, number>;
    extendedHandshake: Record<string, unknown>;
    handshake(infohash: Uint8Array, peerId: Uint8Array, extensions: { fast: boolean }): void;
    use(extension: { new (wire: Wire): WireExtension }): void;
    choke(): void;
    unchoke(): void;
    interested(): void;
    uninterested(): void;
    have(piece: number): void;
    bitfield(bits: Uint8Array): void;
    haveAll(): void;
    haveNone(): void;
    request(piece: number, begin: number, length: number, callback?: () => void): void;
    cancel(piece: number, begin: number, length: number): void;
    reject(piece: number, begin: number, length: number): void;
    piece(piece: number, begin: number, block: Uint8Array): void;
    keepAlive(): void;
    extended(extension: number | string, payload: Uint8Array | Record<string, unknown>): void;
    setKeepAlive(enable: boolean): void;
    destroy(): void;

    _extendedHandshakeSent: boolean;
    _debug(...parameters: unknown[]): void;
    _push(bytes: Uint8Array): boolean | undefined;
    _pull(requests: WireRequest[], piece: number, begin: number, length: number): WireRequest | null;
    _onHandshakeBuffer(handshake: Uint8Array): void;
    _onMessage(message: Uint8Array): void;
    _onKeepAlive(): void;
    _sendExtendedHandshake(): void;
  }
}
