/** /announce and /scrape: the query goes to the tracker as raw text, because infohashes in it are no UTF-8. */
import type { FastifyInstance } from 'fastify';
import type { HttpDependencies } from './dependencies.ts';
import { remoteAddressOf } from './request-origin.ts';

export function trackerRoutes(app: FastifyInstance, deps: HttpDependencies): void {
  for (const action of ['announce', 'scrape'] as const) {
    app.get(`/${action}`, (request, reply) => {
      const url = request.raw.url ?? '';
      const question = url.indexOf('?');
      reply.hijack(); // the tracker writes the response itself
      deps.tracker[action](question < 0 ? '' : url.slice(question + 1), remoteAddressOf(request), reply.raw);
    });
  }
}
