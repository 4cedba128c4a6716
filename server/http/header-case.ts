/**
 * Responses whose header names are written `Content-Length`, not `content-length`.
 *
 * To RFC 9110 both are the same, and fastify writes all names in lower case. To GRUB 2.12 they are not: its HTTP client
 * compares "Content-Length: " byte by byte, and without a length it waits for more until the machine is switched off.
 */
import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';

export const canonicalName = (name: string): string =>
  name.replaceAll(/(?<![A-Za-z])[a-z]/g, (letter) => letter.toUpperCase());

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

export class CanonicalResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  override setHeader(name: string, value: number | string | readonly string[]): this {
    return super.setHeader(canonicalName(name), value);
  }

  override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
    const given = typeof reason === 'string' ? headers : reason;
    for (const [name, value] of Object.entries(Array.isArray(given) ? {} : (given ?? {}))) {
      if (value !== undefined) this.setHeader(name, value);
    }
    const rest = Array.isArray(given) ? [given] : [];
    // With the names set, node writes them as they are.
    return typeof reason === 'string'
      ? super.writeHead(status, reason, ...rest)
      : super.writeHead(status, ...rest);
  }
}
