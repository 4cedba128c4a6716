/**
 * What a BitTorrent client in a process of its own looks like, whoever wrote it: the bench measures these side by
 * side, and the interop tests let them talk to ours.
 */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface ClientOptions {
  readonly mode: 'seed' | 'leech';
  /** The .torrent file. */
  readonly torrent: string;
  /** Holds, or will hold, a folder or file of the torrent's name. */
  readonly directory: string;
  /** Address to listen on and to connect from. */
  readonly address: string;
  /** Bytes per second that the client may send; no limit if not given. */
  readonly uploadBytesPerSecond?: number;
  /** For a seed that can: it shows each leecher other pieces (BEP 16). */
  readonly superSeeding?: boolean;
}

/** Payload as the program itself counts it, in bytes, since its start. */
export interface PayloadBytes {
  readonly sent: number;
  readonly received: number;
}

export interface Client {
  /** undefined where the process starts with the download. */
  readonly pid: number | undefined;
  /** The program ends with its transfer, and `pid` is that of a shell that has waited for it. */
  readonly isOneShot?: boolean;
  /** TCP port on which it takes connections of peers. */
  readonly port: number;
  /**
   * Gives the torrent to a process that is up and idle. A seed has answered when it is ready to upload. A leecher
   * has answered when the download is under way. A client that cannot be told of peers finds them by the torrent's
   * tracker.
   */
  begin(peers: readonly Endpoint[]): Promise<void>;
  /** Resolves when the client says that it has verified the last byte. */
  finished(timeoutMs: number): Promise<void>;
  /** How much it has moved so far. Absent where the program does not say. */
  payloadBytes?(): Promise<PayloadBytes>;
  /** Ends the process, by force if need be, and removes what it left. */
  close(): Promise<void>;
}

export type LaunchClient = (options: ClientOptions) => Promise<Client>;

/** How long a client may take to start, in milliseconds. */
export const START_TIMEOUT_MS = 20_000;
