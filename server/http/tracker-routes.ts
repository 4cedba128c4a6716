/** /announce and /scrape: the query goes to the tracker as raw text, because infohashes in it are no UTF-8. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HttpDependencies } from './dependencies.ts';
import { remoteAddressOf } from './request-origin.ts';

function rawQuery(request: FastifyRequest): string {
  const url = request.raw.url ?? '';
  const question = url.indexOf('?');
  return question < 0 ? '' : url.slice(question + 1);
}

export function trackerRoutes(app: FastifyInstance, { tracker }: HttpDependencies): void {
  // hijack: the tracker writes the response itself
  app.get('/announce', (request, reply) => {
    reply.hijack();
    tracker.announce(rawQuery(request), remoteAddressOf(request), reply.raw);
  });
  app.get('/scrape', (request, reply) => {
    reply.hijack();
    tracker.scrape(rawQuery(request), remoteAddressOf(request), reply.raw);
  });
}
