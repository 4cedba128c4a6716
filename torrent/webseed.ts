/**
 * A webseed (BEP 19): an ordinary HTTP server with the torrent's files. Its bytes are no more trusted than a peer's: the
 * caller checks each piece.
 *
 * Invariants: nothing is written outside of `target`; every range is answered exactly or the piece fails; a server that
 * stalls is given up. When to try again is the caller's policy.
 */
import http from 'node:http';
import type https from 'node:https';
import { HttpGetError, type HttpGetErrorCode, httpGet, httpsModule } from './http-get.ts';
import { fileIndexAt, type Metainfo, type MetainfoFile, pieceLengthOf } from './metainfo-model.ts';

export type WebseedErrorCode =
  | HttpGetErrorCode
  /** Not 206, nor a 200 that is exactly what was asked for. */
  | 'status'
  /** Content-Range or Content-Length differ from what was asked for. */
  | 'bad-range'
  /** The body is longer or shorter than the range. */
  | 'bad-length';

/** Why a webseed did not bring a piece. */
export class WebseedError extends Error {
  readonly code: WebseedErrorCode;
  /** The HTTP status, where one came. */
  readonly status: number | undefined;
  constructor(
    code: WebseedErrorCode,
    message: string,
    options: { status?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'WebseedError';
    this.code = code;
    this.status = options.status;
  }
}

export interface WebseedOptions {
  /** http or https. With a `/` at the end (or several files): the folder; else the file itself. */
  readonly url: string;
  readonly metainfo: Metainfo;
  /** Longest time without a byte, in ms; default 10 s. */
  readonly stallMs?: number;
  /** Fewest bytes per second; default 16 KiB: a piece that is on its way here is asked of nobody else. */
  readonly leastBytesPerSecond?: number;
  /** Longest time for one file's part of a piece, in ms; default 2 min. */
  readonly totalMs?: number;
}

export interface Webseed {
  readonly url: string;
  /**
   * Fills `target` (exactly `pieceLengthOf` bytes) with piece `piece`; after a failure its content is undefined. Throws
   * `WebseedError`, `RangeError` for a wrong piece or target.
   */
  fetchPiece(piece: number, target: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Closes kept connections. */
  close(): void;
}

/** Where `file` lies below `url` (BEP 19; like libtorrent, a missing `/` is added for torrents of several files). */
export function webseedUrl(url: string, metainfo: Metainfo, file: MetainfoFile): string {
  if (!metainfo.multiFile && !url.endsWith('/')) return url;
  const parts = metainfo.multiFile ? [metainfo.name, ...file.path.split('/')] : [metainfo.name];
  return `${url.replace(/\/*$/, '')}/${parts.map(encodeURIComponent).join('/')}`;
}

/** Throws unless the head answers bytes `from` to `to` (exclusive) of a file of `length` bytes. */
function checkHead(
  response: http.IncomingMessage,
  where: string,
  from: number,
  to: number,
  length: number,
): void {
  const { statusCode: status, headers } = response;
  const declared = headers['content-length'];
  const whole = from === 0 && to === length;
  if (status !== 206 && !(status === 200 && whole)) {
    const hint = status === 200 ? ' (the server ignores ranges)' : '';
    throw new WebseedError('status', `Webseed ${where} answered ${status} to a range${hint}`, { status });
  }
  if (status === 206 && headers['content-range'] !== `bytes ${from}-${to - 1}/${length}`) {
    const range = JSON.stringify(headers['content-range'] ?? '').slice(0, 80);
    throw new WebseedError(
      'bad-range',
      `Webseed ${where} sent range ${range}, not ${from}-${to - 1}/${length}`,
      { status },
    );
  }
  if (declared === undefined ? status === 200 : Number(declared) !== to - from) {
    throw new WebseedError('bad-range', `Webseed ${where} announced ${declared} bytes, not ${to - from}`, {
      status,
    });
  }
}

const KEPT = { keepAlive: true, maxFreeSockets: 4 };

class HttpWebseed implements Webseed {
  readonly url: string;
  readonly options: WebseedOptions;
  readonly agents = {
    http: new http.Agent(KEPT),
    https: (): https.Agent => (this.#https ??= new (httpsModule().Agent)(KEPT)),
  };
  #https: https.Agent | undefined;

  constructor(options: WebseedOptions) {
    this.url = options.url;
    this.options = options;
  }

  async fetchPiece(piece: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    const { metainfo } = this.options;
    const length = pieceLengthOf(metainfo, piece);
    if (target.length !== length)
      throw new RangeError(`Piece ${piece} has ${length} bytes, the target ${target.length}`);
    const start = piece * metainfo.pieceLength;
    for (let at = start, index = fileIndexAt(metainfo, start); at < start + length; index++) {
      const file = metainfo.files[index]!;
      const end = Math.min(file.offset + file.length, start + length);
      if (end <= at) continue;
      const part = target.subarray(at - start, end - start);
      if (file.pad) part.fill(0);
      else await this.fetchRange(file, at - file.offset, part, signal);
      at = end;
    }
  }

  async fetchRange(
    file: MetainfoFile,
    from: number,
    target: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { metainfo, stallMs = 10_000, totalMs = 120_000, leastBytesPerSecond = 16_384 } = this.options;
    const address = webseedUrl(this.url, metainfo, file);
    const to = from + target.length;
    let filled = 0;
    try {
      await httpGet(address, {
        headers: { range: `bytes=${from}-${to - 1}` },
        agents: this.agents,
        stallMs,
        totalMs,
        leastBytesPerSecond,
        signal,
        onHead: (response) => checkHead(response, address, from, to, file.length),
        onData: (chunk) => {
          if (filled + chunk.length > target.length) {
            throw new WebseedError('bad-length', `Webseed ${address} sent more than ${target.length} bytes`);
          }
          target.set(chunk, filled);
          filled += chunk.length;
        },
      });
    } catch (error) {
      if (error instanceof HttpGetError) throw new WebseedError(error.code, error.message, { cause: error });
      throw error;
    }
    if (filled !== target.length) {
      throw new WebseedError('bad-length', `Webseed ${address} sent ${filled} bytes, not ${target.length}`);
    }
  }

  close(): void {
    this.agents.http.destroy();
    this.#https?.destroy();
  }
}

/** Throws `WebseedError` `bad-url` unless `options.url` is an http or https address. */
export function createWebseed(options: WebseedOptions): Webseed {
  const protocol = URL.canParse(options.url) ? new URL(options.url).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new WebseedError(
      'bad-url',
      `Webseed ${JSON.stringify(options.url)} is not an http or https address`,
    );
  }
  return new HttpWebseed(options);
}
