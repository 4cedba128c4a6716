/**
 * One bounded HTTP GET: for trackers and webseeds, whose answers are strangers' words.
 *
 * Invariant: however the server behaves (refuses, stalls, closes half-way, never stops, redirects in circles), the
 * promise settles within its deadlines, with every listener in place for errors that come late.
 */
import http from 'node:http';
import type https from 'node:https';

export type HttpGetErrorCode =
  | 'bad-url'
  | 'unreachable'
  | 'stalled'
  | 'too-slow'
  | 'cut-off'
  | 'redirects'
  | 'encoding'
  | 'aborted';

/** Why no whole answer came. Errors that `onHead` and `onData` throw pass through as they are. */
export class HttpGetError extends Error {
  readonly code: HttpGetErrorCode;
  constructor(code: HttpGetErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'HttpGetError';
    this.code = code;
  }
}

export interface HttpGetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Connections to keep between requests; default: one connection for this request. */
  readonly agents?: { readonly http: http.Agent; readonly https: () => https.Agent };
  /** Longest time without a byte, in ms. */
  readonly stallMs: number;
  /** Fewest bytes per second of body, on average, once the body has come for `stallMs`; default: any. */
  readonly leastBytesPerSecond?: number;
  /** Longest time in all, redirects included, in ms. */
  readonly totalMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Sees status and headers first; throw to refuse the body. */
  readonly onHead: (response: http.IncomingMessage) => void;
  /** Sees the body as it comes; the chunk is only valid during the call. Throw to stop. */
  readonly onData: (chunk: Buffer) => void;
}

/**
 * Loaded when an address asks for it: it brings all of TLS along, which is a tenth of the time that an agent takes to start,
 * and machines that boot have plain addresses.
 */
export const httpsModule = (): typeof https => process.getBuiltinModule('node:https');

const REDIRECT_LIMIT = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** What one request ended with: the address to go to next, or nothing more to do. */
type Outcome = { readonly redirect: string } | 'done' | 'stale-connection';

function attempt(url: URL, options: HttpGetOptions, signal: AbortSignal): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const isSecure = url.protocol === 'https:';
  const module = isSecure ? httpsModule() : http;
  const agent = isSecure ? options.agents?.https() : options.agents?.http;
  const where = `${url.protocol}//${url.host}${url.pathname}`;
  let answered = false;

  const request = module.get(url, {
    headers: { 'accept-encoding': 'identity', 'user-agent': 'swarmboot', ...options.headers },
    agent: agent ?? false,
    signal,
  });
  const stalled = () => {
    fail(new HttpGetError('stalled', `Cannot get ${where}: no byte for ${options.stallMs / 1000} s`));
  };
  let stall = setTimeout(stalled, options.stallMs);
  const fail = (error: unknown) => {
    clearTimeout(stall);
    reject(error);
    request.destroy();
  };
  const finish = (outcome: Outcome) => {
    clearTimeout(stall);
    resolve(outcome);
  };

  request.on('error', (error: NodeJS.ErrnoException) => {
    // A kept connection that the server closed while it was idle is no news about the server.
    if (request.reusedSocket && !answered && error.code === 'ECONNRESET') return finish('stale-connection');
    fail(new HttpGetError('unreachable', `Cannot get ${where}: ${error.code ?? error.message}`, error));
  });
  request.on('response', (response) => {
    answered = true;
    response.on('error', () => undefined); // told by `close` below
    response.on('close', () => {
      if (response.complete) return;
      fail(new HttpGetError('cut-off', `Cannot get ${where}: the server closed the connection half-way`));
    });
    const { location } = response.headers;
    if (REDIRECTS.has(response.statusCode ?? 0) && location !== undefined) {
      request.destroy();
      return finish({ redirect: location });
    }
    try {
      const encoding = response.headers['content-encoding'] ?? 'identity';
      if (encoding !== 'identity') {
        throw new HttpGetError('encoding', `Cannot get ${where}: the body is encoded as "${encoding}"`);
      }
      options.onHead(response);
    } catch (error) {
      return fail(error);
    }
    const bodyBegan = performance.now();
    let received = 0;
    response.on('data', (chunk: Buffer) => {
      received += chunk.length;
      const ms = performance.now() - bodyBegan;
      if (ms > options.stallMs && (received / ms) * 1000 < (options.leastBytesPerSecond ?? 0)) {
        const rate = Math.round((received / ms) * 1000);
        return fail(new HttpGetError('too-slow', `Cannot get ${where}: only ${rate} bytes a second`));
      }
      clearTimeout(stall);
      stall = setTimeout(stalled, options.stallMs);
      try {
        options.onData(chunk);
      } catch (error) {
        fail(error);
      }
    });
    response.on('end', () => finish('done'));
  });
  return promise;
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new HttpGetError(
      'bad-url',
      `Cannot get ${JSON.stringify(text.slice(0, 200))}: not an http or https address`,
    );
  }
  return url;
}

/** Fetches `address`; resolves when the whole body went through `onData`. Throws `HttpGetError` or what they threw. */
export async function httpGet(address: string, options: HttpGetOptions): Promise<void> {
  let url = parseUrl(address);
  const total = AbortSignal.timeout(options.totalMs);
  const signal = options.signal ? AbortSignal.any([options.signal, total]) : total;
  let redirects = 0;
  let stale = 0;
  for (;;) {
    try {
      const outcome = await attempt(url, options, signal);
      if (outcome === 'done') return;
      if (outcome === 'stale-connection') {
        // Each try takes one dead connection out of the pool; a pool of them must not take all day.
        if (++stale > 16)
          throw new HttpGetError('unreachable', `Cannot get ${url.host}: connections keep being reset`);
        continue;
      }
      if (++redirects > REDIRECT_LIMIT) {
        throw new HttpGetError(
          'redirects',
          `Cannot get ${url.host}${url.pathname}: more than ${REDIRECT_LIMIT} redirections`,
        );
      }
      url = parseUrl(outcome.redirect, url);
    } catch (error) {
      if (options.signal?.aborted) throw new HttpGetError('aborted', `Stopped to get ${url.host}`, error);
      if (total.aborted && error instanceof HttpGetError) {
        throw new HttpGetError(
          'stalled',
          `Cannot get ${url.host}: not done after ${options.totalMs / 1000} s`,
          error,
        );
      }
      throw error;
    }
  }
}
