/**
 * One HTTP request with a byte limit and a deadline. `node:http` and not the global fetch: that one costs a boot
 * about 10 MB of memory and hides how many bytes an answer has until it has them all.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';

export interface HttpOptions {
  /** An answer with more bytes than this is refused as soon as that is known. */
  readonly limitBytes: number;
  /** For the whole exchange, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Sent as a POST of this content type. */
  readonly body?: { readonly type: string; readonly text: string };
}

/** `status` stands for an answer other than 200; `unreachable` for no answer at all. */
export class HttpError extends Error {
  readonly code: 'unreachable' | 'status' | 'too-large' | 'timeout';
  readonly status: number | undefined;
  constructor(code: HttpError['code'], message: string, status?: number) {
    super(message);
    this.name = 'HttpError';
    this.code = code;
    this.status = status;
  }
}

const REDIRECT_LIMIT = 3;

/** The body of a 200 answer. Throws `HttpError`, or the signal's reason when aborted. */
export async function httpExchange(url: string, options: HttpOptions): Promise<Buffer> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let target = url;
  try {
    for (let redirects = 0; redirects <= REDIRECT_LIMIT; redirects++) {
      const response = await send(target, options, signal);
      const status = response.statusCode ?? 0;
      const location = response.headers.location;
      if (status >= 301 && status <= 308 && location !== undefined) {
        response.destroy();
        const next = URL.parse(location, target);
        if (!next || (next.protocol !== 'http:' && next.protocol !== 'https:')) {
          throw new HttpError(
            'status',
            `"${target}" redirects to "${location}", which is no HTTP URL`,
            status,
          );
        }
        target = next.href;
        continue;
      }
      if (status !== 200) {
        response.destroy();
        throw new HttpError(
          'status',
          `"${target}" answered ${status} ${response.statusMessage ?? ''}`.trim(),
          status,
        );
      }
      return await readBody(response, target, options.limitBytes);
    }
    throw new HttpError('status', `"${url}" redirects more than ${REDIRECT_LIMIT} times`);
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    if (timeout.aborted) {
      throw new HttpError('timeout', `"${target}" did not answer within ${options.timeoutMs / 1000} s`);
    }
    if (error instanceof HttpError) throw error;
    const cause = error as NodeJS.ErrnoException;
    throw new HttpError('unreachable', `Cannot reach "${target}": ${cause.code ?? ''} ${cause.message}`);
  }
}

function send(url: string, options: HttpOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // Loaded when it is needed only: TLS is a tenth of an agent's start.
  const send = url.startsWith('https:') ? process.getBuiltinModule('node:https').request : httpRequest;
  const body = options.body && Buffer.from(options.body.text);
  const request = send(
    url,
    {
      method: body ? 'POST' : 'GET',
      signal,
      agent: false,
      headers: body ? { 'content-type': options.body?.type ?? '', 'content-length': body.length } : {},
    },
    resolve,
  );
  request.on('error', reject);
  request.end(body);
  return promise;
}

async function readBody(response: IncomingMessage, url: string, limitBytes: number): Promise<Buffer> {
  const tooLarge = (what: string): HttpError => {
    response.destroy();
    return new HttpError('too-large', `"${url}" ${what}, more than the ${limitBytes} bytes allowed`);
  };
  const declared = Number(response.headers['content-length'] ?? 0);
  if (declared > limitBytes) throw tooLarge(`says it has ${declared} bytes`);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) throw tooLarge('goes on and on');
    chunks.push(chunk);
  }
  if (!response.complete || (declared > 0 && length !== declared)) {
    throw new HttpError('unreachable', `"${url}" ended after ${length} of ${declared} bytes`);
  }
  return Buffer.concat(chunks);
}
