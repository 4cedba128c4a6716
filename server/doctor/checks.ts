/** The checks of `swarmboot doctor`, in the order in which a boot needs what they look at. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { ARCHES } from '../../contract/manifest.ts';
import { keyArchive } from '../../contract/stage1-key.ts';
import { loadPublicKey, loadSecretKey } from '../catalog/keys.ts';
import { DEFAULT_SNIPPET, publicKeyPath, secretKeyPath, stage1Directory } from '../catalog/layout.ts';
import { loadRelease } from '../catalog/load-release.ts';
import { currentVersion, listImages } from '../catalog/release-folders.ts';
import { readServerNote } from '../database/server-note.ts';
import { IPXE_FILES, SHIM_FILES } from '../netboot/boot-files.ts';
import { findRival } from '../setup/dnsmasq-rivals.ts';
import { withSite } from '../site.ts';
import { checkAddress } from './check-address.ts';
import { hangsOnProxyTag } from './endless-dnsmasq.ts';
import { type Finding, ok, problem, warning } from './finding.ts';
import { droppedBy, type Port } from './firewall.ts';
import { readSnippet } from './read-snippet.ts';
import { socketOwners } from './socket-owners.ts';

export interface DoctorOptions {
  readonly state: string;
  readonly config: string;
  /** dnsmasq's file that `swarmboot dnsmasq --out` wrote. */
  readonly snippet: string;
  readonly httpPort: number;
  readonly seederPort: number;
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;
const ANSWER_MS = 3_000;
const COMMAND_MS = 10_000;
/** An image of a small Debian and its next version. */
const DISK_WARNING_BYTES = 4 * 2 ** 30;
const DISK_PROBLEM_BYTES = 256 * 2 ** 20;

interface NeededPort extends Port {
  readonly what: string;
  /** Names of the programs that may have it. */
  readonly by: readonly string[];
}

const neededPorts = ({ httpPort, seederPort }: DoctorOptions): NeededPort[] => {
  const server = ['swarmboot', 'node', 'node-MainThread', 'MainThread'];
  return [
    { protocol: 'udp', port: 67, what: 'DHCP', by: ['dnsmasq'] },
    { protocol: 'udp', port: 69, what: 'TFTP', by: ['dnsmasq'] },
    { protocol: 'udp', port: 4011, what: 'ProxyDHCP', by: ['dnsmasq'] },
    { protocol: 'tcp', port: httpPort, what: 'HTTP', by: server },
    { protocol: 'udp', port: httpPort, what: 'the tracker', by: server },
    { protocol: 'tcp', port: seederPort, what: 'the seeder', by: server },
  ];
};

export function checkPorts(options: DoctorOptions): Finding[] {
  const owners = socketOwners();
  const proxy = readSnippet(options.snippet)?.mode !== 'full';
  return neededPorts(options)
    .filter(({ port }) => port !== 4011 || proxy)
    .map(({ protocol, port, what, by }) => {
      const name = `${protocol.toUpperCase()} port ${port} (${what})`;
      const key = `${protocol} ${port}`;
      const start = by.includes('dnsmasq')
        ? 'systemctl restart dnsmasq'
        : 'systemctl start swarmboot, or run "swarmboot serve"';
      if (!owners.has(key)) return problem('ports', `Nobody listens on ${name}`, start);
      const owner = owners.get(key);
      if (owner === undefined)
        return warning(
          'ports',
          `A program of another user listens on ${name}`,
          'Run "swarmboot doctor" as root',
        );
      if (by.includes(owner.name)) return ok('ports', `${owner.name} listens on ${name}`);
      return problem(
        'ports',
        `${owner.name} (process ${owner.pid}) has ${name}, which ${by[0]} needs`,
        `Stop ${owner.name}, or give it another port; then ${start}`,
      );
    });
}

export function checkFirewall(options: DoctorOptions): Finding[] {
  const { error, status, stdout, stderr } = spawnSync('nft', ['-j', 'list', 'ruleset'], {
    encoding: 'utf8',
    timeout: COMMAND_MS,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  if (error) return [ok('firewall', 'There is no nft command, so no nftables rules of its own')];
  if (status !== 0) {
    return [
      warning(
        'firewall',
        `The rules of nftables cannot be read: ${stderr.trim()}`,
        'Run "swarmboot doctor" as root',
      ),
    ];
  }
  const ruleset: unknown = JSON.parse(stdout);
  const iface = readSnippet(options.snippet)?.interface;
  const dropped = neededPorts(options).flatMap(({ protocol, port, what }) => {
    const chain = droppedBy(ruleset, { protocol, port }, iface);
    if (chain === undefined) return [];
    const [family, table, name] = chain.split(' ');
    return [
      problem(
        'firewall',
        `The firewall drops ${protocol.toUpperCase()} port ${port} (${what}): chain ${chain}`,
        `nft insert rule ${family} ${table} ${name} ${protocol} dport ${port} accept, and the same in /etc/nftables.conf`,
      ),
    ];
  });
  return dropped.length > 0 ? dropped : [ok('firewall', 'No rule of nftables drops what machines send')];
}

/** LTSP has DHCP and TFTP: its iPXE menu must lead here, and its dnsmasq must answer. */
function checkLtsp(path: string): Finding[] {
  const configuration = readFileSync(path, 'utf8');
  const menu = checkLtspMenu(/^[ \t]*tftp-root=(\S+)/m.exec(configuration)?.[1] ?? '/srv/tftp');
  const { stdout } = spawnSync('dnsmasq', ['--version'], { encoding: 'utf8', timeout: COMMAND_MS });
  if (!hangsOnProxyTag(configuration, stdout ?? '')) return [menu];
  const hangs = problem(
    'dnsmasq',
    `dnsmasq 2.91 hangs at the second request of an iPXE, because of the tag that ${path} gives to its proxy range`,
    `sed -i 's/set:proxy,//; s/tag:proxy,//' ${path}, then systemctl restart dnsmasq; again after each "ltsp dnsmasq"`,
  );
  return [hangs, menu];
}

function checkLtspMenu(tftpRoot: string): Finding {
  const menu = join(tftpRoot, 'ltsp/ltsp.ipxe');
  const there = existsSync(menu) && /^:swarm$/m.test(readFileSync(menu, 'utf8'));
  return there
    ? ok('dnsmasq', `LTSP has DHCP, and its menu ${menu} leads here`)
    : problem(
        'dnsmasq',
        `LTSP has DHCP, and its menu ${menu} does not lead here`,
        'ltsp swarm publish NAME, then ltsp ipxe',
      );
}

export function checkDnsmasq(options: DoctorOptions): Finding[] {
  const again = `swarmboot setup${options.snippet === DEFAULT_SNIPPET ? '' : ` --snippet ${options.snippet}`}`;
  const snippet = readSnippet(options.snippet);
  const rival = findRival(options.snippet);
  if (rival && snippet) {
    const sentence = `${rival.path} ("${rival.option}") stands beside ${options.snippet}: ${rival.outcome}`;
    return [
      problem(
        'dnsmasq',
        sentence,
        `Remove one of them${rival.ltsp ? ' (without ours, machines come through "ltsp ipxe")' : ''}`,
      ),
    ];
  }
  if (rival?.ltsp) return checkLtsp(rival.path);
  if (snippet === undefined) return [problem('dnsmasq', `${options.snippet} is missing`, again)];
  const { interface: iface, serverUrl, tftpRoot, mtimeMs } = snippet;
  if (iface === undefined || serverUrl === undefined || tftpRoot === undefined)
    return [problem('dnsmasq', `${options.snippet} is not as "swarmboot dnsmasq" writes it`, again)];
  const addresses = networkInterfaces()[iface];
  if (addresses === undefined)
    return [
      problem(
        'dnsmasq',
        `${options.snippet} names interface ${iface}, which has no address or does not exist`,
        again,
      ),
    ];
  const findings: Finding[] = [];
  const host = new URL(serverUrl).hostname;
  if (/^[\d.]+$/.test(host) && !addresses.some(({ address }) => address === host)) {
    const has = addresses.map(({ address }) => address).join(', ');
    findings.push(problem('dnsmasq', `Machines are sent to ${serverUrl}, but ${iface} has ${has}`, again));
  }
  const { shim, grub } = SHIM_FILES.amd64;
  const [ipxe, signed] = ['ipxe', 'shim-signed grub-efi-amd64-signed'];
  for (const [{ name }, packages] of [
    [IPXE_FILES.bios, ipxe] as const,
    ...(snippet.uefi === 'shim'
      ? ([
          [shim, signed],
          [grub, signed],
        ] as const)
      : ([[IPXE_FILES.efi64, ipxe]] as const)),
  ]) {
    if (!existsSync(join(tftpRoot, name)))
      findings.push(
        problem('dnsmasq', `${name} is missing in ${tftpRoot}`, `apt-get install ${packages}, then ${again}`),
      );
  }
  const owner = socketOwners().get('udp 67');
  if (owner?.name === 'dnsmasq' && statSync(`/proc/${owner.pid}`).ctimeMs < mtimeMs) {
    findings.push(
      problem(
        'dnsmasq',
        `dnsmasq was started before ${options.snippet} was written`,
        'systemctl restart dnsmasq',
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok('dnsmasq', `${options.snippet} fits interface ${iface} (${snippet.mode})`)];
}

export function checkDisk({ state }: DoctorOptions): Finding[] {
  const { bavail, bsize } = statfsSync(state);
  const free = bavail * bsize;
  const sentence = `${(free / 2 ** 20).toFixed(0)} MiB are free in ${state}`;
  const fix = 'Make room, or remove old versions: "swarmboot image build --keep 1" keeps one';
  if (free < DISK_PROBLEM_BYTES) return [problem('disk', sentence, fix)];
  if (free < DISK_WARNING_BYTES) return [warning('disk', `${sentence}: too little for another image`, fix)];
  return [ok('disk', sentence)];
}

export function checkKey({ config }: DoctorOptions): Finding[] {
  try {
    const secret = loadSecretKey(config);
    const { key } = loadPublicKey(config);
    if (!secret.key.equals(key)) {
      return [
        problem(
          'key',
          `${secretKeyPath(config)} and ${publicKeyPath(config)} do not belong together`,
          'Restore both from a backup',
        ),
      ];
    }
    const mode = statSync(secretKeyPath(config)).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      return [
        problem(
          'key',
          `Others can read ${secretKeyPath(config)} (mode ${mode.toString(8)})`,
          `chmod 600 ${secretKeyPath(config)}`,
        ),
      ];
    }
    return [ok('key', `The release key is in ${config}`)];
  } catch (error) {
    return [problem('key', (error as Error).message, 'swarmboot key generate')];
  }
}

export function checkStage1({ state, config }: DoctorOptions): Finding[] {
  const install =
    'swarmboot stage1 install, after apt-get install swarmboot-stage1-amd64, or scripts/build-stage1';
  let archive: Buffer;
  try {
    archive = keyArchive(readFileSync(publicKeyPath(config), 'utf8'), 0);
  } catch {
    return []; // the check of the key tells
  }
  const findings: Finding[] = [];
  for (const arch of ARCHES) {
    const folder = stage1Directory(state, arch);
    try {
      statSync(join(folder, 'vmlinuz'));
      // The key is the last archive of the initramfs; a stage-1 with another key refuses every image of this server.
      const fits = readFileSync(join(folder, 'initrd.img')).subarray(-archive.length).equals(archive);
      findings.push(
        fits
          ? ok('stage1', `Stage-1 for ${arch} has this site's key`)
          : problem(
              'stage1',
              `Stage-1 in ${folder} has another key: machines would refuse every image`,
              install,
            ),
      );
    } catch {
      if (arch === 'amd64') findings.push(problem('stage1', `There is no stage-1 in ${folder}`, install));
    }
  }
  return findings;
}

export async function checkImages({ state, config, nowMs }: DoctorOptions): Promise<Finding[]> {
  const names = await listImages(state);
  const findings: Finding[] = [];
  const again = (name: string) => `Publish it again: swarmboot image build --name ${name}`;
  for (const name of names) {
    const version = await currentVersion(state, name);
    if (version === undefined) {
      findings.push(warning('images', `Image ${name} has no current version`, again(name)));
      continue;
    }
    try {
      const { manifest } = await loadRelease(state, name, version, loadPublicKey(config));
      const days = Math.floor((Date.parse(manifest.expires) - nowMs) / DAY_MS);
      if (Date.parse(manifest.created) > nowMs + 60_000) {
        const sentence = `The clock says ${new Date(nowMs).toISOString()}, yet ${name} ${version} was made at ${manifest.created}`;
        findings.push(problem('clock', sentence, 'Set the clock: timedatectl set-ntp true'));
      }
      if (days < 0)
        findings.push(
          problem(
            'images',
            `${name} ${version} expired on ${manifest.expires}: machines refuse it`,
            again(name),
          ),
        );
      else if (days < 7)
        findings.push(warning('images', `${name} ${version} expires on ${manifest.expires}`, again(name)));
      else findings.push(ok('images', `${name} ${version} is signed and whole, and good for ${days} days`));
    } catch (error) {
      findings.push(problem('images', (error as Error).message, again(name)));
    }
  }
  if (names.length === 0)
    findings.push(
      problem(
        'images',
        `No image is published in ${state}`,
        'swarmboot image build --name debian --user NAME --password TEXT',
      ),
    );
  return findings;
}

/** Assignments of what is not there, and whether the server answers. */
export async function checkServer({ state }: DoctorOptions): Promise<Finding[]> {
  const names = await listImages(state);
  const { note, assigned } = withSite(state, (site) => ({
    note: readServerNote(site.db),
    assigned: [...site.assignments.list(), ...site.assignments.nextBoots()].flatMap(
      ({ image }) => image ?? [],
    ),
  }));
  const findings = [...new Set(assigned)]
    .filter((image) => !names.includes(image))
    .map((image) =>
      problem(
        'assignments',
        `Image ${image} is assigned but not published: its machines wait`,
        'swarmboot assign list, then publish it or assign another',
      ),
    );
  const start = 'systemctl start swarmboot, or run "swarmboot serve"';
  if (note === undefined) return [...findings, problem('server', 'The server has never run', start)];
  try {
    const { ok: good, status } = await fetch(`${note.url}/healthz`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    findings.push(
      good
        ? ok('server', `The server answers at ${note.url}`)
        : problem('server', `${note.url} answers with ${status}`, start),
    );
  } catch {
    findings.push(problem('server', `No answer from ${note.url}`, start));
  }
  return findings;
}

/** All checks. One that fails to look is a warning, not the end of the others. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, check] of [
    ['ports', checkPorts],
    ['firewall', checkFirewall],
    ['dnsmasq', checkDnsmasq],
    ['address', checkAddress],
    ['server', checkServer],
    ['key', checkKey],
    ['stage1', checkStage1],
    ['images', checkImages],
    ['disk', checkDisk],
  ] as const) {
    try {
      findings.push(...(await check(options)));
    } catch (error) {
      findings.push(
        warning(
          name,
          `This could not be looked at: ${(error as Error).message}`,
          'Run "swarmboot doctor" as root',
        ),
      );
    }
  }
  return findings;
}
