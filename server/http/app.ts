/** The HTTP server: limits and deadlines here, one file of routes for each audience. */
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { bootRoutes } from './boot-routes.ts';
import { limitConnections } from './connection-limit.ts';
import type { HttpDependencies } from './dependencies.ts';
import { CanonicalResponse } from './header-case.ts';
import { machineRoutes } from './machine-routes.ts';
import { releaseRoutes } from './release-routes.ts';
import { trackerRoutes } from './tracker-routes.ts';

/** No connection may be silent for longer, in milliseconds: a machine that was switched off mid-download. */
const IDLE_MS = 60_000;
/** A request's header and body must be complete by then, in milliseconds. */
const REQUEST_MS = 30_000;
/** The header alone, in milliseconds: nobody types it. Looked at every CHECK_MS. */
const HEADER_MS = 10_000;
const CHECK_MS = 2_000;
const KEEP_ALIVE_MS = 15_000;
/** Nothing that is sent to us is larger but telemetry, which has its own limit. */
const BODY_LIMIT_BYTES = 4096;
const CONNECTION_LIMIT = 8192;

/** The server, not yet listening. `logger` is pino's. */
export async function createApp(
  dependencies: HttpDependencies,
  logger: FastifyBaseLogger,
): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    connectionTimeout: IDLE_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      ServerResponse: CanonicalResponse,
      headersTimeout: HEADER_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    forceCloseConnections: true,
    // A boot loader that joins the parts of a URL by itself may double a slash.
    routerOptions: { maxParamLength: 160, ignoreDuplicateSlashes: true },
  });
  app.server.maxConnections = CONNECTION_LIMIT;
  limitConnections(app.server);
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).type('text/plain').send('Not found\n');
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error, url: request.url }, 'Request failed');
    const text = status >= 500 ? 'Internal error; see the log of the boot server' : error.message;
    reply.code(status).type('text/plain').send(`${text}\n`);
  });
  // No folder is served as a whole: routes name each file, after they have checked every part of its path.
  await app.register(fastifyStatic, { root: dependencies.state, serve: false });
  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
  bootRoutes(app, dependencies);
  releaseRoutes(app, dependencies);
  machineRoutes(app, dependencies);
  trackerRoutes(app, dependencies);
  return app;
}
