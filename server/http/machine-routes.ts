/** For agents in stage-1, which report, and for people, who ask. */
import type { FastifyInstance } from 'fastify';
import { TELEMETRY_PATH } from '../../contract/paths.ts';
import {
  parseTelemetry,
  TELEMETRY_LIMIT_BYTES,
  type TelemetryAnswer,
  type TelemetryEvent,
} from '../../contract/telemetry.ts';
import { neededBy } from '../machines/needed-by.ts';
import { machineStatus, type Status } from '../machines/status.ts';
import { AddressBudget } from './address-budget.ts';
import type { HttpDependencies } from './dependencies.ts';
import { remoteAddressOf } from './request-origin.ts';

/** A machine posts about once a second; 256 of them may share an address (machine-book.ts). */
const TELEMETRY_BUDGET = { burst: 1024, perSecond: 256 };

/** What an administrator wants to find in the log: not every progress report. */
const isWorthALine = (event: TelemetryEvent): boolean =>
  event.event === 'error' || event.event === 'handoff' || (event.event === 'phase-end' && !event.ok);

export function machineRoutes(app: FastifyInstance, deps: HttpDependencies): void {
  const budget = new AddressBudget(TELEMETRY_BUDGET);
  app.register(async (scope) => {
    // Telemetry is NDJSON, under whatever content type it comes.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'string', bodyLimit: TELEMETRY_LIMIT_BYTES },
      (_request, body, done) => done(null, body),
    );
    scope.post(`/${TELEMETRY_PATH}`, { bodyLimit: TELEMETRY_LIMIT_BYTES }, (request, reply) => {
      const ip = remoteAddressOf(request);
      if (!budget.take(ip, deps.now()))
        return reply.code(429).type('text/plain').send('Too many reports from your address\n');
      const { events, rejected } = parseTelemetry(typeof request.body === 'string' ? request.body : '');
      for (const event of events) {
        deps.machines.apply(event, ip, deps.now());
        deps.desk.reported(event, ip, deps.now());
        if (isWorthALine(event)) request.log.info({ ip, ...event }, `Machine reports ${event.event}`);
      }
      const last = events.at(-1);
      if (!last) {
        const sentence = `No event in this body is as contract/telemetry.ts has it (${rejected} rejected)\n`;
        return reply.code(400).type('text/plain').send(sentence);
      }
      const release = deps.machines.get(last.mac)?.progress?.release;
      const answer: TelemetryAnswer = {
        neededBy: neededBy(deps.machines.values(), last.mac, release, deps.now()),
      };
      return reply.send(answer);
    });
  });

  app.get('/status', (_request, reply) => {
    const stage1Bytes = deps.traffic.bytes('stage1');
    const webseedBytes = deps.traffic.bytes('webseed');
    const seederBytes = deps.seederBytes();
    const status: Status = {
      machines: deps.machines.list().map(machineStatus),
      server: {
        ...{ stage1Bytes, payloadBytes: seederBytes + webseedBytes, seederBytes, webseedBytes },
        images: [...deps.catalog.current.values()].map((release) => ({
          name: release.name,
          version: release.version,
          imageBytes: release.imageBytes,
          seederPort: deps.seederPort(release) ?? null,
        })),
      },
    };
    return reply.header('cache-control', 'no-store').send(status);
  });
}
