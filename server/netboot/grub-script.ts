/**
 * GRUB's configuration, as pure text: grub/grub.cfg, the same for every machine, and /grub, for one. What
 * ipxe-script.ts is for iPXE, with the same kernel parameters, for machines with Secure Boot, where firmware starts no
 * iPXE: shim -> GRUB -> Debian's kernel, each signed.
 *
 * Like there, every download is tried again, and after the last try the machine reboots: GRUB's prompt on a machine
 * without a keyboard is a hang.
 * Whatever is put into a script has been through a parser first, and stands between single quotes: a quote in a value
 * would be a command.
 */
import { splitCmdline } from '../../contract/parameters.ts';
import { type MachineScript, stage1Parameters } from './ipxe-script.ts';

/** Name in the TFTP folder, and path on the HTTP server: Debian's network GRUB looks for it below its prefix, /grub. */
export const GRUB_CONFIG_NAME = 'grub/grub.cfg';

/** GRUB's own variable, of the card that it was loaded through. */
const MAC_VARIABLE = '$net_default_mac';
const TRIES = 5;
const RETRY_SECONDS = 3;
const REBOOT_SECONDS = 30;
/** While no image is published a machine asks again this often. */
const NO_IMAGE_SECONDS = 60;

/** GRUB's lexer: nothing is special between single quotes, and no value here has one. */
function quoted(word: string): string {
  if (/['\n\r]/.test(word))
    throw new Error(`Cannot put ${JSON.stringify(word)} into a GRUB script: it has a quote or a line break`);
  return `'${word}'`;
}

/** `http://10.0.0.1:7080/x` to `(http,10.0.0.1:7080)/x`, GRUB's way to say it. */
export function grubPath(url: string): string {
  const { host, pathname, search } = new URL(url);
  return `(http,${host})${pathname}${search}`;
}

/** A script whose `attempt` is run again if it comes to its end, for what boots does not. */
function retrying(attempt: readonly string[], failure: string): string {
  return [
    `for try in ${Array.from({ length: TRIES }, (_, index) => index + 1).join(' ')}; do`,
    ...attempt.map((line) => `  ${line}`),
    `  echo "swarmboot: try $try of ${TRIES} failed, the next one in ${RETRY_SECONDS} seconds"`,
    `  sleep ${RETRY_SECONDS}`,
    'done',
    `echo ${quoted(`swarmboot: ${failure}`)}`,
    `echo ${quoted(`swarmboot: rebooting in ${REBOOT_SECONDS} seconds`)}`,
    `sleep ${REBOOT_SECONDS}`,
    'reboot',
    '',
  ].join('\n');
}

/** The script of a machine defines this function, and the entry calls it when the script has been read to its end. */
const FUNCTION = 'swarmboot';

/**
 * As a function: GRUB runs a script while it still reads it. So the script has been read, and its connection is closed,
 * before kernel and initramfs are asked for.
 */
const asFunction = (body: string): string =>
  `function ${FUNCTION} {\n${body.replaceAll(/^(?=.)/gm, '  ')}}\n`;

/**
 * GRUB puts in its MAC address and architecture (x86_64 or arm64, as iPXE says them). `source` runs the file in this
 * script's own loop; `configfile` would replace the loop, and its error ends in GRUB's menu.
 */
export const grubEntryConfig = (baseUrl: string): string =>
  retrying(
    [
      `echo "swarmboot: asking ${baseUrl} what ${MAC_VARIABLE} boots"`,
      `if source "${grubPath(`${baseUrl}/grub`)}?mac=${MAC_VARIABLE}&arch=$grub_cpu&platform=$grub_platform"; then`,
      `  ${FUNCTION}`,
      'fi',
    ],
    `cannot load the boot script from ${baseUrl}; does swarmboot serve run there?`,
  );

export function grubMachineScript(script: MachineScript): string {
  const stage1 = grubPath(`${script.baseUrl}/stage1/${script.arch}`);
  const query = script.token === undefined ? '' : `?next=${script.token}`;
  const parameters = stage1Parameters(script, { initrd: [], mac: MAC_VARIABLE });
  // GRUB puts a word with spaces between double quotes, for the kernel and stage-1 to keep it together.
  const words = splitCmdline(parameters.join(' ')).map((word) =>
    word.endsWith(MAC_VARIABLE) ? `"${word}"` : quoted(word),
  );
  const boot = retrying(
    [
      `echo ${quoted(`swarmboot: ${script.image} ${script.version}, loading stage-1`)}`,
      `if linux ${quoted(`${stage1}/vmlinuz`)} ${words.join(' ')}; then`,
      `  if initrd ${quoted(`${stage1}/initrd.img${query}`)}; then`,
      '    boot',
      '  fi',
      'fi',
    ],
    `cannot load stage-1 from ${stage1}`,
  );
  return asFunction(boot);
}

/** For a machine that cannot be served now: says why, waits and reboots, so that it comes back by itself. */
export const grubExcuseScript = (reason: string): string =>
  asFunction(
    [
      `echo ${quoted(`swarmboot: ${reason.replaceAll(/['\r\n]/g, ' ')}`)}`,
      `echo ${quoted(`swarmboot: rebooting in ${NO_IMAGE_SECONDS} seconds`)}`,
      `sleep ${NO_IMAGE_SECONDS}`,
      'reboot',
      '',
    ].join('\n'),
  );
