/** What a request tells of how the machine reaches us. */
import type { FastifyRequest } from 'fastify';
import { baseUrl } from './base-url.ts';

/** Clients whose Host header lacks the port, against RFC 9110: GRUB 2.12, and HTTP Boot of EDK II. */
const PORTLESS = /^(GRUB|UefiHttpBoot)\b/;

export const baseUrlOf = (request: FastifyRequest, publicUrl: string | undefined): string =>
  baseUrl(
    {
      // What the machine connected to is then the better answer.
      hostHeader: PORTLESS.test(request.headers['user-agent'] ?? '') ? undefined : request.headers.host,
      localAddress: request.socket.localAddress,
      localPort: request.socket.localPort,
    },
    publicUrl,
  );

/** The sender's address; IPv4 without the IPv6 mapping. */
export const remoteAddressOf = (request: FastifyRequest): string =>
  (request.socket.remoteAddress ?? '0.0.0.0').replace(/^::ffff:/, '');
