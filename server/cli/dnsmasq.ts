/** `swarmboot dnsmasq` */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { tftpDirectory } from '../catalog/layout.ts';
import { installBootFiles } from '../netboot/boot-files.ts';
import { checkShim } from '../netboot/check-shim.ts';
import { dnsmasqConfig } from '../netboot/dnsmasq-config.ts';
import { parseDnsmasqOptions } from '../netboot/dnsmasq-options.ts';
import { stateOption } from './options.ts';

interface Options {
  readonly interface: string;
  readonly address: string;
  readonly mode: 'proxy' | 'full';
  readonly range: string | undefined;
  readonly ra: string | undefined;
  readonly serverUrl: string | undefined;
  readonly tftpRoot: string | undefined;
  readonly uefi: 'ipxe' | 'shim';
  readonly debianRoot: readonly string[];
  readonly out: string | undefined;
  readonly installIpxe: boolean;
  readonly state: string;
}

const tell = (sentence: string): boolean => process.stderr.write(`swarmboot: ${sentence}\n`);

async function run(options: Options): Promise<void> {
  const tftpRoot = resolve(options.tftpRoot ?? tftpDirectory(options.state));
  // Wrong options are found before anything is written.
  const parsed = parseDnsmasqOptions({ ...options, tftpRoot });
  if (options.installIpxe) {
    const { names, complaints } = await installBootFiles(
      tftpRoot,
      [...options.debianRoot, '/'],
      parsed.serverUrl,
    );
    for (const complaint of complaints) tell(complaint);
    tell(`${names.join(', ')} are in ${tftpRoot}`);
  }
  if (options.uefi === 'shim') for (const sentence of await checkShim(tftpRoot)) tell(sentence);
  const text = dnsmasqConfig(parsed);
  if (options.out === undefined) {
    process.stdout.write(text);
    return;
  }
  await mkdir(dirname(resolve(options.out)), { recursive: true });
  await writeFile(`${options.out}.new`, text);
  await rename(`${options.out}.new`, options.out);
  tell(`wrote ${options.out}; check it with dnsmasq --test -C ${options.out}`);
}

export function dnsmasqCommand(): Command {
  return new Command('dnsmasq')
    .description("print or write dnsmasq's configuration for netbooting, and install Debian's iPXE for TFTP")
    .requiredOption('--interface <IF>', 'network interface that machines boot on')
    .requiredOption('--address <A.B.C.D/N>', "this server's address there, with prefix length")
    .addOption(
      new Option('--mode <MODE>', 'proxy: beside a DHCP server that exists; full: instead of one')
        .choices(['proxy', 'full'])
        .makeOptionMandatory(),
    )
    .option('--range <START,END>', 'addresses that mode full gives out (default: upper half of the network)')
    .option('--ra <PREFIX>', 'send router advertisements, which saves 16 seconds in iPXE; like fd77::/64')
    .option('--server-url <URL>', 'where swarmboot serve is (default: http://ADDRESS:7080)')
    .option('--tftp-root <DIR>', 'folder of the boot files (default: STATE/tftp)')
    .addOption(
      new Option(
        '--uefi <PROGRAM>',
        'what UEFI machines load first. ipxe: with Secure Boot off; shim: on or off, see secure-boot.md',
      )
        .choices(['ipxe', 'shim'])
        .default('ipxe'),
    )
    .option(
      '--install-ipxe',
      "copy Debian's iPXE, and its shim and GRUB if they are there, into that folder",
      false,
    )
    .option(
      '--debian-root <DIR>',
      'root folder of an unpacked Debian to take them from, before this one; may be given several times',
      (root: string, previous: readonly string[]) => [...previous, resolve(root)],
      [],
    )
    .option('--out <FILE>', 'write there instead of standard output')
    .addOption(stateOption())
    .action(run);
}
