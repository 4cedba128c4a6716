/** `swarmboot setup` */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { createKeyFiles } from '../catalog/keys.ts';
import {
  DEFAULT_SNIPPET,
  publicKeyPath,
  secretKeyPath,
  stage1Directory,
  tftpDirectory,
} from '../catalog/layout.ts';
import { Failure, systemCode } from '../failure.ts';
import { configOption, integer, stateOption } from './options.ts';
import { PACKAGED_STAGE1 } from './stage1.ts';

const say = (sentence: string): void => console.log(`swarmboot: ${sentence}`);

interface Options {
  readonly interface: string | undefined;
  readonly mode: 'proxy' | 'full' | undefined;
  readonly uefi: 'ipxe' | 'shim' | undefined;
  readonly snippet: string;
  readonly stage1: string;
  readonly httpPort: number;
  readonly seederPort: number;
  readonly restart: boolean;
  readonly state: string;
  readonly config: string;
}

const SYSTEMCTL_TIMEOUT_MS = 60_000;
/** Where LTSP puts its menu, ltsp-ipxe(8). */
const LTSP_MENU = 'the menu of "ltsp ipxe"';

/** Machines would be sent to either of two that have one address, and so would people. */
async function lookForNamesake(name: string, address: string): Promise<void> {
  const { askForAddress } = await import('../setup/address-claim.ts');
  const claim = askForAddress(name, address);
  if (claim.kind === 'taken') {
    throw new Failure(
      'address-taken',
      `Another machine on ${name} (${claim.mac}) has the address ${address} as well: give one of the two another address, then run this again`,
    );
  }
  if (claim.kind === 'unknown')
    say(`Whether another machine has ${address} as well is not known: ${claim.reason}`);
}

/** Who gives out addresses there, as a sentence; refuses to become a second server. */
async function lookForDhcp(mode: 'proxy' | 'full', address: string, mac: string): Promise<void> {
  const { probeDhcp } = await import('../setup/dhcp-probe.ts');
  const offers = await probeDhcp({ address, mac }, randomBytes(4).readUInt32BE(0)).catch((error: unknown) => {
    if (systemCode(error) !== 'EACCES') throw error;
    throw new Failure(
      'no-permission',
      'Setup needs root: it asks for DHCP servers on port 68 and writes to /etc',
    );
  });
  const others = offers.filter((offer) => offer.address !== undefined && offer.server !== address);
  const names = others.map(({ server }) => server).join(', ');
  if (others.length > 0 && mode === 'full') {
    throw new Failure(
      'bad-option',
      `A DHCP server is there already (${names}); a second one would disturb the network: take --mode proxy, which works beside it`,
    );
  }
  if (others.length > 0)
    say(`${names} gives out addresses and goes on doing so; this server adds the boot files`);
  else if (mode === 'proxy')
    say(
      'No DHCP server has answered: if there really is none on this network, run this again with --mode full',
    );
}

/** Writes the file if it is another one now; whole or not at all. */
function writeChanged(path: string, text: string): boolean {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode: 0o644 });
  renameSync(`${path}.new`, path);
  return true;
}

/** What there is nobody to restart for: another folder than dnsmasq's, or no systemd (a container, a chroot). */
const mayRestart = ({ restart, snippet }: Options): boolean =>
  restart && snippet === DEFAULT_SNIPPET && existsSync('/run/systemd/system');

/** Where packages and administrators put units, systemd.unit(5). A checkout has none for the server. */
const UNIT_FOLDERS = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/** Restarts it if systemd knows it; returns whether it does. Throws `Failure` `program-failed`. */
async function restartUnit(unit: string): Promise<boolean> {
  if (!UNIT_FOLDERS.some((folder) => existsSync(join(folder, unit)))) return false;
  const { runProgram } = await import('../image/run-program.ts');
  try {
    await runProgram('systemctl', ['restart', unit], { timeoutMs: SYSTEMCTL_TIMEOUT_MS });
  } catch (error) {
    throw new Failure(
      'program-failed',
      `${unit} does not start: ${(error as Error).message}; everything else is done, see "journalctl -u ${unit}" and run this again`,
      { cause: error },
    );
  }
  say(`Restarted ${unit}`);
  return true;
}

async function run(options: Options): Promise<void> {
  const { candidates, chooseInterface } = await import('../setup/interface-choice.ts');
  const { checkDisk, checkImages, checkPorts, checkStage1 } = await import('../doctor/checks.ts');
  const { dnsmasqConfig } = await import('../netboot/dnsmasq-config.ts');
  const { parseDnsmasqOptions } = await import('../netboot/dnsmasq-options.ts');
  const { installBootFiles } = await import('../netboot/boot-files.ts');
  const { checkShim } = await import('../netboot/check-shim.ts');
  const { installStage1 } = await import('../stage1/install-stage1.ts');
  const { netbootChoices } = await import('../setup/netboot-choices.ts');
  const { readSnippet } = await import('../doctor/read-snippet.ts');
  const { findRival } = await import('../setup/dnsmasq-rivals.ts');

  // First everything that can be in the way, then everything that is written: a refusal leaves nothing half-done.
  // What was chosen before stays, unless an option says otherwise.
  const kept = readSnippet(options.snippet);
  const chosen = chooseInterface(candidates(networkInterfaces()), options.interface ?? kept?.interface);
  const [address = ''] = chosen.cidr.split('/');
  const tftpRoot = resolve(tftpDirectory(options.state));
  const netboot = parseDnsmasqOptions({
    ...{ interface: chosen.name, address: chosen.cidr, tftpRoot },
    ...netbootChoices(options, kept, chosen.cidr),
  });
  const snippet = dnsmasqConfig(netboot);
  const rival = findRival(options.snippet);
  if (rival && !rival.ltsp) {
    throw new Failure(
      'bad-option',
      `${rival.path} has "${rival.option}", as swarmboot's own file would, and ${rival.outcome}: take it out there, or put what machines need into that file by hand, see "swarmboot dnsmasq --help"`,
    );
  }
  const looking = { ...options, nowMs: Date.now() };
  const taken = checkPorts(looking).find(
    ({ level, sentence }) => level === 'problem' && !sentence.startsWith('Nobody'),
  );
  if (taken) throw new Failure('port-in-use', `${taken.sentence}. ${taken.fix}`);
  mkdirSync(options.state, { recursive: true });
  const full = checkDisk(looking).find(({ level }) => level === 'problem');
  if (full) throw new Failure('disk-full', `${full.sentence}. ${full.fix}`);
  await lookForNamesake(chosen.name, address);
  say(`Machines boot on ${chosen.name}, where this server is ${address}`);
  if (rival)
    say(`${rival.path} is LTSP's: DHCP and TFTP stay as they are, machines come through ${LTSP_MENU}`);
  else {
    await lookForDhcp(netboot.mode, address, chosen.mac);
    await installBootFiles(tftpRoot, ['/'], netboot.serverUrl);
    if (netboot.uefi === 'shim') for (const sentence of await checkShim(tftpRoot)) say(sentence);
  }
  if (existsSync(secretKeyPath(options.config)))
    say(`The release key ${publicKeyPath(options.config)} stays`);
  else {
    createKeyFiles(options.config, false);
    say(
      `Made the release key ${publicKeyPath(options.config)}; keep a copy of ${secretKeyPath(options.config)} in a safe place`,
    );
  }
  const changed = !rival && writeChanged(options.snippet, snippet);
  if (!rival) say(`${options.snippet} is ${changed ? 'written' : 'as it should be'}`);

  const next: string[] = [];
  if (checkStage1(looking).some(({ level }) => level === 'problem')) {
    const from = join(options.stage1, 'amd64');
    try {
      await installStage1({ from, into: stage1Directory(options.state, 'amd64'), config: options.config });
      say("Stage-1 has this site's key");
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'missing-stage1') throw error;
      next.push(
        'apt-get install swarmboot-stage1-amd64, then swarmboot stage1 install (or scripts/build-stage1)',
      );
    }
  }
  if ((await checkImages(looking)).some(({ check, level }) => check === 'images' && level === 'problem'))
    next.push(
      rival ? 'ltsp swarm publish NAME' : 'swarmboot image build --name debian --user NAME --password TEXT',
    );
  const restarting = mayRestart(options);
  if (!rival && !(restarting && (!changed || (await restartUnit('dnsmasq.service')))))
    next.push('systemctl restart dnsmasq');
  if (!(restarting && (await restartUnit('swarmboot.service'))))
    next.push('systemctl restart swarmboot (or run "swarmboot serve")');
  if (rival) next.push('ltsp ipxe');
  next.push('swarmboot doctor');
  say('Next:');
  for (const command of next) console.log(`  ${command}`);
}

export function setupCommand(): Command {
  return new Command('setup')
    .description('make this machine a boot server, step by step; can be run again at any time')
    .option(
      '--interface <IF>',
      'network interface that machines boot on (default: as before, else the only one with an address)',
    )
    .addOption(
      new Option(
        '--mode <MODE>',
        'proxy: beside a DHCP server that exists; full: instead of one (default: as before, else proxy)',
      ).choices(['proxy', 'full']),
    )
    .addOption(
      new Option(
        '--uefi <PROGRAM>',
        'what UEFI machines load first. ipxe: with Secure Boot off; shim: on or off (default: as before, else ipxe)',
      ).choices(['ipxe', 'shim']),
    )
    .option('--snippet <FILE>', "where dnsmasq's configuration for netbooting goes", DEFAULT_SNIPPET)
    .option('--stage1 <DIR>', 'where the packaged stage-1 is', PACKAGED_STAGE1)
    .option('--http-port <PORT>', 'HTTP and tracker port of the server', integer(1, 65535), 7080)
    .option('--seeder-port <PORT>', "port of the first image's seeder", integer(1, 65535), 6881)
    .option('--no-restart', 'leave it to others to restart dnsmasq and swarmboot')
    .addOption(stateOption())
    .addOption(configOption())
    .action(run);
}
