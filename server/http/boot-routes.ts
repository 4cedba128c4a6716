/** For firmware, iPXE and GRUB: scripts, and stage-1's kernel and initramfs. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Arch, fileOfRole, type Manifest } from '../../contract/manifest.ts';
import { HOST_NAME } from '../../contract/parameters.ts';
import { isArch } from '../assignments/assignment.ts';
import { stage1Directory, tftpDirectory } from '../catalog/layout.ts';
import type { Release } from '../catalog/load-release.ts';
import { BOOT_FILE_NAMES } from '../netboot/boot-files.ts';
import { menuScript } from '../netboot/boot-menu.ts';
import {
  GRUB_CONFIG_NAME,
  grubEntryConfig,
  grubExcuseScript,
  grubMachineScript,
} from '../netboot/grub-script.ts';
import { entryScript, excuseScript, machineScript } from '../netboot/ipxe-script.ts';
import { type MachineQuery, parseMachineQuery } from '../netboot/machine-query.ts';
import { hostOf } from './base-url.ts';
import type { HttpDependencies } from './dependencies.ts';
import { baseUrlOf, remoteAddressOf } from './request-origin.ts';

const STAGE1_FILES = ['vmlinuz', 'initrd.img'];
/** How a boot loader wants to be told. */
interface Dialect {
  readonly machine: typeof machineScript;
  readonly excuse: typeof excuseScript;
  /** undefined: it shows no menu, and boots what was decided. */
  readonly menu: typeof menuScript | undefined;
}
const IPXE: Dialect = { machine: machineScript, excuse: excuseScript, menu: menuScript };
const GRUB: Dialect = { machine: grubMachineScript, excuse: grubExcuseScript, menu: undefined };

/** What is brought along of stage-1 is smaller than its initramfs. */
const stage1Bytes = (state: string, arch: Arch): number =>
  statSync(join(stage1Directory(state, arch), 'initrd.img'), { throwIfNoEntry: false })?.size ?? 0;

/** What the real system keeps beside its root, to give it to others. */
function bytesToGive(manifest: Manifest, parameters: readonly string[], agentBytes: () => number): number {
  const choice = parameters.findLast((parameter) => parameter.startsWith('swarmboot.seed='));
  if (choice === 'swarmboot.seed=off') return 0;
  const files = fileOfRole(manifest, 'kernel').length + fileOfRole(manifest, 'initrd').length;
  return files + (choice === 'swarmboot.seed=bring' ? agentBytes() : 0);
}

export function bootRoutes(app: FastifyInstance, deps: HttpDependencies): void {
  app.get('/boot.ipxe', (request, reply) => {
    reply.type('text/plain').header('cache-control', 'no-store');
    return reply.send(entryScript(baseUrlOf(request, deps.publicUrl)));
  });

  // GRUB that was loaded by TFTP has this file there; one that came by HTTP Boot looks for it here.
  app.get(`/${GRUB_CONFIG_NAME}`, (request, reply) => {
    reply.type('text/plain').header('cache-control', 'no-store');
    return reply.send(grubEntryConfig(baseUrlOf(request, deps.publicUrl)));
  });

  for (const [path, dialect] of [['/ipxe', IPXE] as const, ['/grub', GRUB] as const]) {
    app.get<{ Querystring: Record<string, unknown> }>(path, (request, reply) => {
      reply.type('text/plain').header('cache-control', 'no-store');
      return reply.send(scriptFor(parseMachineQuery(request.query), request, dialect));
    });
  }

  /** Decides what the machine boots, notes it, and writes its script. */
  const scriptFor = (
    { mac, arch, archText, platform, picked }: MachineQuery,
    request: FastifyRequest,
    dialect: Dialect,
  ): string => {
    const ip = remoteAddressOf(request);
    const given = (release: Release | undefined, reason: string): void => {
      const name = release && `${release.name}/${release.version}`;
      request.log.info({ mac, arch, platform, release: name, reason }, 'Boot script');
      if (mac === undefined) return;
      deps.machines.scriptFetched(mac, ip, deps.now());
      deps.desk.scriptGiven(mac, { ip, arch }, name, reason, deps.now());
    };
    if (arch === undefined) {
      const sentence = `there is no stage-1 for architecture ${archText}`;
      given(undefined, sentence);
      return dialect.excuse(sentence);
    }
    const { current } = deps.catalog;
    const images = [...current.values()].map(({ name, version, manifest }) => ({
      ...{ name, version, arch: manifest.arch },
    }));
    const { decision, machine, token } = deps.desk.advise({ mac, ip, arch, picked }, images);
    const release = decision.image === undefined ? undefined : current.get(decision.image);
    given(release, decision.problem ?? decision.reason);
    if (release === undefined) return dialect.excuse(decision.problem ?? decision.reason);
    const base = baseUrlOf(request, deps.publicUrl);
    const choice = images.filter((image) => image.arch === arch);
    if (
      dialect.menu &&
      decision.menuSeconds > 0 &&
      !decision.once &&
      picked === undefined &&
      choice.length > 1
    ) {
      const { image = release.name, reason, menuSeconds: seconds } = decision;
      return dialect.menu({ ...{ baseUrl: base, machine, image, reason, seconds }, images: choice });
    }
    const port = deps.seederPort(release);
    return dialect.machine({
      ...{ baseUrl: base, arch, image: release.name, version: release.version, token },
      append: decision.parameters,
      hostname: machine !== undefined && HOST_NAME.test(machine) ? machine : undefined,
      systemParameters: decision.systemParameters,
      contents: {
        root: fileOfRole(release.manifest, 'root').length,
        behind: bytesToGive(release.manifest, decision.parameters, () => stage1Bytes(deps.state, arch)),
      },
      ram: (mac === undefined ? undefined : deps.machines.get(mac)?.ram) ?? [],
      seeder: port === undefined ? undefined : { host: hostOf(base), port },
    });
  };

  app.get<{ Params: { arch: string; file: string }; Querystring: { next?: unknown } }>(
    '/stage1/:arch/:file',
    (request, reply) => {
      const { arch, file } = request.params;
      if (!isArch(arch) || !STAGE1_FILES.includes(file)) return reply.callNotFound();
      deps.traffic.count('stage1', reply.raw);
      const { next } = request.query;
      if (typeof next === 'string' && request.method === 'GET') {
        // `finish` comes only when everything has been handed to the kernel, not for a machine that went away.
        reply.raw.once('finish', () => {
          if (reply.raw.statusCode === 200) deps.desk.initramfsSent(next, deps.now());
        });
      }
      return reply.sendFile(file, stage1Directory(deps.state, arch));
    },
  );

  // UEFI HTTP Boot fetches iPXE or shim by HTTP: first HEAD, then GET.
  app.get<{ Params: { file: string } }>('/tftp/:file', (request, reply) => {
    const { file } = request.params;
    if (!BOOT_FILE_NAMES.includes(file)) return reply.callNotFound();
    return reply.sendFile(file, tftpDirectory(deps.state));
  });
}
