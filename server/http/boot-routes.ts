/** For firmware and iPXE: scripts, and stage-1's kernel and initramfs. */
import type { FastifyInstance } from 'fastify';
import { ARCHES, type Arch } from '../../contract/manifest.ts';
import { stage1Directory, tftpDirectory } from '../catalog/layout.ts';
import { IPXE_FILES } from '../netboot/ipxe-files.ts';
import { entryScript, excuseScript, machineScript } from '../netboot/ipxe-script.ts';
import { parseMachineQuery } from '../netboot/machine-query.ts';
import { hostOf } from './base-url.ts';
import type { HttpDependencies } from './dependencies.ts';
import { baseUrlOf, remoteAddressOf } from './request-origin.ts';

const STAGE1_FILES = ['vmlinuz', 'initrd.img'];
const BOOT_FILES: readonly string[] = Object.values(IPXE_FILES).map(({ name }) => name);
const isArch = (text: string): text is Arch => (ARCHES as readonly string[]).includes(text);

export function bootRoutes(app: FastifyInstance, deps: HttpDependencies): void {
  app.get('/boot.ipxe', (request, reply) => {
    reply.type('text/plain').header('cache-control', 'no-store');
    return reply.send(entryScript(baseUrlOf(request, deps.publicUrl)));
  });

  app.get<{ Querystring: Record<string, unknown> }>('/ipxe', (request, reply) => {
    reply.type('text/plain').header('cache-control', 'no-store');
    const { mac, arch, archText, platform } = parseMachineQuery(request.query);
    const release = deps.bootRelease();
    if (mac !== undefined) deps.machines.scriptFetched(mac, remoteAddressOf(request), deps.now());
    request.log.info(
      { mac, arch, platform, release: release && `${release.name}/${release.version}` },
      'Boot script',
    );
    if (arch === undefined)
      return reply.send(excuseScript(`there is no stage-1 for architecture ${archText}`));
    if (release === undefined) {
      return reply.send(excuseScript('the server has no image yet; publish one with swarmboot image build'));
    }
    if (release.manifest.arch !== arch) {
      const sentence = `image ${release.name} is for ${release.manifest.arch}, this machine is ${arch}`;
      return reply.send(excuseScript(sentence));
    }
    const base = baseUrlOf(request, deps.publicUrl);
    const port = deps.seederPort(release);
    return reply.send(
      machineScript({
        ...{ baseUrl: base, arch, image: release.name, version: release.version, append: deps.append },
        // Kernel and initrd too: the real system keeps them for the machines behind it.
        rootBytes: release.manifest.files.reduce((sum, file) => sum + file.length, 0),
        seeder: port === undefined ? undefined : { host: hostOf(base), port },
      }),
    );
  });

  app.get<{ Params: { arch: string; file: string } }>('/stage1/:arch/:file', (request, reply) => {
    const { arch, file } = request.params;
    if (!isArch(arch) || !STAGE1_FILES.includes(file)) return reply.callNotFound();
    deps.traffic.count('stage1', reply.raw);
    return reply.sendFile(file, stage1Directory(deps.state, arch));
  });

  // UEFI HTTP Boot fetches iPXE itself by HTTP: first HEAD, then GET.
  app.get<{ Params: { file: string } }>('/tftp/:file', (request, reply) => {
    const { file } = request.params;
    if (!BOOT_FILES.includes(file)) return reply.callNotFound();
    return reply.sendFile(file, tftpDirectory(deps.state));
  });
}
