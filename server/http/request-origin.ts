/** What a request tells of how the machine reaches us. */
import type { FastifyRequest } from 'fastify';
import { baseUrl } from './base-url.ts';

export const baseUrlOf = (request: FastifyRequest, publicUrl: string | undefined): string =>
  baseUrl(
    {
      hostHeader: request.headers.host,
      localAddress: request.socket.localAddress,
      localPort: request.socket.localPort,
    },
    publicUrl,
  );

/** The sender's address; IPv4 without the IPv6 mapping. */
export const remoteAddressOf = (request: FastifyRequest): string =>
  (request.socket.remoteAddress ?? '0.0.0.0').replace(/^::ffff:/, '');
