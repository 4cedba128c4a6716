/** For agents and any BitTorrent client: manifest, signature, metainfo, and the files themselves with ranges. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { METAINFO_NAME } from '../../contract/paths.ts';
import { withOuterKeys } from '../../torrent/index.ts';
import { MANIFEST_NAME, SIGNATURE_NAME, torrentName } from '../catalog/layout.ts';
import type { Release } from '../catalog/load-release.ts';
import { hostOf } from './base-url.ts';
import type { HttpDependencies } from './dependencies.ts';
import { baseUrlOf } from './request-origin.ts';

interface ReleaseParams {
  readonly name: string;
  readonly version?: string;
}
interface FileParams extends ReleaseParams {
  readonly torrent: string;
  readonly path: string;
}

export function releaseRoutes(app: FastifyInstance, deps: HttpDependencies): void {
  const releaseOf = async ({ name, version }: ReleaseParams): Promise<Release | undefined> =>
    version === undefined ? deps.catalog.current.get(name) : await deps.catalog.find(name, version);

  /** The metainfo with hints for the network that the request came through; the info dictionary stays as signed. */
  const metainfo = (release: Release, request: FastifyRequest): Buffer => {
    const base = baseUrlOf(request, deps.publicUrl);
    const { hostname, port: httpPort } = new URL(base);
    const port = deps.seederPort(release);
    // The UDP tracker listens on IPv4 only (BEP 15's answers hold IPv4 addresses).
    const udp = hostname.startsWith('[') ? [] : [`udp://${hostname}:${httpPort || 80}/announce`];
    return withOuterKeys(release.metainfo, {
      announce: [`${base}/announce`, ...udp],
      urlList: deps.webseed ? [`${base}/images/${release.name}/files/`] : [],
      explicitPeers: port === undefined ? [] : [{ host: hostOf(base), port }],
    });
  };

  const sendNamed = (file: string, release: Release, request: FastifyRequest, reply: FastifyReply) => {
    reply.header('cache-control', 'no-cache');
    switch (file) {
      case MANIFEST_NAME:
        return reply.type('application/json').send(release.manifestBytes);
      case SIGNATURE_NAME:
        return reply.type('text/plain').send(release.signature);
      case METAINFO_NAME:
        return reply.type('application/x-bittorrent').send(metainfo(release, request));
      default:
        return reply.callNotFound();
    }
  };

  const sendPayload = (release: Release, params: FileParams, reply: FastifyReply) => {
    const known =
      params.torrent === torrentName(release.name, release.version) &&
      release.manifest.files.some((file) => file.path === params.path);
    if (!known || !deps.webseed) return reply.callNotFound();
    deps.traffic.count('webseed', reply.raw);
    return reply.type('application/octet-stream').sendFile(params.path, release.payloadDirectory);
  };

  for (const prefix of ['/images/:name', '/images/:name/:version']) {
    for (const file of [MANIFEST_NAME, SIGNATURE_NAME, METAINFO_NAME]) {
      app.get<{ Params: ReleaseParams }>(`${prefix}/${file}`, async (request, reply) => {
        const release = await releaseOf(request.params);
        return release ? sendNamed(file, release, request, reply) : reply.callNotFound();
      });
    }
  }

  // The torrent's name says which version is meant: one webseed URL serves machines that began before an update.
  app.get<{ Params: FileParams }>('/images/:name/files/:torrent/:path', async (request, reply) => {
    const { name, torrent } = request.params;
    const version = torrent.startsWith(`${name}-`) ? torrent.slice(name.length + 1) : '';
    const release = await releaseOf({ name, version });
    return release ? sendPayload(release, request.params, reply) : reply.callNotFound();
  });
  app.get<{ Params: FileParams }>('/images/:name/:version/files/:torrent/:path', async (request, reply) => {
    const release = await releaseOf(request.params);
    return release ? sendPayload(release, request.params, reply) : reply.callNotFound();
  });
}
