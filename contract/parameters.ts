/**
 * The `swarmboot.*` parameters of the kernel command line, in one table: the agent parses by it, the server's
 * iPXE scripts are checked against it, and docs/parameters.md is generated from it.
 *
 * Invariant: a `Parameters` value holds every parameter, parsed, with its default where the command line is silent.
 */
import { STRATEGIES, type Strategy } from './manifest.ts';

export type Linger =
  | { readonly kind: 'auto' }
  | { readonly kind: 'seconds'; readonly seconds: number }
  | { readonly kind: 'ratio'; readonly ratio: number };

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Parameters {
  readonly manifest: string | undefined;
  readonly peers: readonly Endpoint[];
  readonly trackers: readonly string[];
  readonly server: string | undefined;
  readonly interface: string | undefined;
  readonly port: number;
  readonly linger: Linger;
  readonly handoff: HandoffChoice;
  readonly append: string;
  readonly hostname: string | undefined;
  readonly overlay: string | undefined;
  readonly verity: boolean;
  readonly networkTimeout: number;
  readonly retryTimeout: number;
  readonly reboot: number;
  readonly seed: SeedChoice;
  readonly seedRate: number | undefined;
}

/** `value` is what stands after `=`; a parser throws an Error whose message says what it takes. */
interface Parameter<T> {
  readonly type: string;
  readonly default: T;
  /** As it would be written on the command line; shown in the docs. */
  readonly defaultText: string;
  readonly help: string;
  readonly parse: (value: string) => T;
}

const fail = (takes: string): never => {
  throw new Error(`takes ${takes}`);
};

function parseUrl(value: string): string {
  const url = URL.parse(value);
  return url && (url.protocol === 'http:' || url.protocol === 'https:')
    ? url.href
    : fail('an http:// or https:// URL');
}

function parseInteger(minimum: number, maximum: number, unit: string) {
  return (value: string): number => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= minimum && number <= maximum ? number : fail(`${unit} from ${minimum} to ${maximum}`);
  };
}

/** Parses `host:port`, the host being a name, an IPv4 address or an IPv6 address in brackets. */
export function parseEndpoint(value: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9.-]{1,253})):(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host !== undefined && port >= 1 && port <= 65535
    ? { host, port }
    : fail('HOST:PORT, an IPv6 address in brackets');
}

/** Parses `auto`, a number of seconds, or `ratio:X`. */
export function parseLinger(value: string): Linger {
  if (value === 'auto') return { kind: 'auto' };
  const ratio = /^ratio:(\d{1,4}(?:\.\d{1,3})?)$/.exec(value);
  if (ratio) return { kind: 'ratio', ratio: Number(ratio[1]) };
  if (/^\d{1,6}$/.test(value)) return { kind: 'seconds', seconds: Number(value) };
  return fail('"auto", seconds, or "ratio:X"');
}

const SEED_CHOICES = ['on', 'off', 'bring'] as const;
export type SeedChoice = (typeof SEED_CHOICES)[number];

/** One label of a domain name (RFC 1123). */
export const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

export type HandoffChoice = 'auto' | Strategy;

/** Parses `auto` or the name of a strategy. */
export function parseHandoff(value: string): HandoffChoice {
  return (
    (['auto', ...STRATEGIES] as const).find((choice) => choice === value) ??
    fail('"auto", "pmem", "retain" or "cpio"')
  );
}

const parseSwitch = (value: string): boolean =>
  value === 'on' || value === 'off' ? value === 'on' : fail('"on" or "off"');

const list =
  <T>(parse: (item: string) => T) =>
  (value: string): readonly T[] =>
    value === '' ? [] : value.split(',').slice(0, 64).map(parse);

type Table = { readonly [K in keyof Parameters]: Parameter<Parameters[K]> };

/** The key `networkTimeout` is `swarmboot.network-timeout` on the command line. */
export const PARAMETERS: Table = {
  manifest: {
    type: 'URL',
    default: undefined,
    defaultText: '',
    help: 'Where the signed manifest of the image is; its signature is taken from the same URL with `.sig` behind it. The one parameter that must be given.',
    parse: parseUrl,
  },
  server: {
    type: 'URL',
    default: undefined,
    defaultText: 'origin of the manifest',
    help: 'Base URL of the boot server: telemetry goes there, and plain HTTP is its last resort for the image.',
    parse: parseUrl,
  },
  peers: {
    type: 'HOST:PORT,...',
    default: [],
    defaultText: '',
    help: "Peers to connect to besides those that trackers name, usually the server's seeder.",
    parse: list(parseEndpoint),
  },
  trackers: {
    type: 'URL,...',
    default: [],
    defaultText: '',
    help: 'Trackers besides those that the metainfo names.',
    parse: list((value) =>
      /^(https?|udp):\/\/[^\s,]+$/.test(value) ? value : fail('http://, https:// or udp:// URLs'),
    ),
  },
  interface: {
    type: 'NAME or MAC',
    default: undefined,
    defaultText: 'the one iPXE booted from (`BOOTIF=`), else every wired one',
    help: 'Network interface to use.',
    parse: (value) =>
      /^[A-Za-z0-9_.:-]{1,32}$/.test(value) ? value : fail('an interface name or MAC address'),
  },
  port: {
    type: 'port',
    default: 6881,
    defaultText: '6881',
    help: 'TCP port on which the agent listens for peers.',
    parse: parseInteger(1, 65535, 'a port'),
  },
  linger: {
    type: 'auto, SECONDS or ratio:X',
    default: { kind: 'auto' },
    defaultText: 'auto',
    help: 'How long to keep seeding between completion and handoff. `auto` asks the server whether a machine still needs this one, and ends after at most 60 seconds.',
    parse: parseLinger,
  },
  handoff: {
    type: 'auto, pmem, retain or cpio',
    default: 'auto',
    defaultText: 'auto',
    help: 'How the image reaches the real system. `auto` takes the one that needs the least RAM here.',
    parse: parseHandoff,
  },
  append: {
    type: 'text',
    default: '',
    defaultText: '',
    help: 'Added to the kernel command line of the real system; quote it if it has spaces.',
    parse: (value) => (/^[\x20-\x7e]{0,512}$/.test(value) ? value : fail('at most 512 printable characters')),
  },
  hostname: {
    type: 'NAME',
    default: undefined,
    defaultText: "the image's own",
    help: 'Host name of the real system. The boot server gives the name that a machine has there (`swarmboot machine rename`), if it can be a host name.',
    parse: (value) =>
      HOST_NAME.test(value) ? value : fail('a host name: letters, digits and -, at most 63'),
  },
  overlay: {
    type: 'SIZE',
    default: undefined,
    defaultText: '50%',
    help: 'How much RAM the real system may take for files that change: bytes with `k`, `m` or `g` behind them, or per cent of the RAM (tmpfs(5)). Nothing is set aside.',
    parse: (value) => (/^[1-9]\d{0,8}[kmg%]$/i.test(value) ? value : fail('a size like 2g or 75%')),
  },
  verity: {
    type: 'on or off',
    default: false,
    defaultText: 'off',
    help: 'Whether the real system checks each block of its root, whenever it is read from RAM, against the signed manifest (dm-verity; docs/handoff.md tells what it costs). `on` refuses an image that was published without.',
    parse: parseSwitch,
  },
  networkTimeout: {
    type: 'seconds',
    default: 60,
    defaultText: '60',
    help: 'How long to wait for carrier and a DHCP lease before the network phase starts over.',
    parse: parseInteger(5, 3600, 'seconds'),
  },
  retryTimeout: {
    type: 'seconds',
    default: 600,
    defaultText: '600',
    help: 'How long the agent tries in all, without progress, before it shows the emergency screen.',
    parse: parseInteger(5, 86400, 'seconds'),
  },
  reboot: {
    type: 'seconds',
    default: 60,
    defaultText: '60',
    help: 'Countdown of the emergency screen before the machine reboots; 0 keeps the screen.',
    parse: parseInteger(0, 86400, 'seconds'),
  },
  seed: {
    type: 'on, off or bring',
    default: 'on',
    defaultText: 'on',
    help: "Whether the real system goes on seeding, if its image has `swarmboot-seed` (docs/seeding.md). `on` keeps kernel and initrd in RAM beside the root image where the machine has room for them. `bring` keeps stage-1's agent there too, 37 MiB, for an image without it; with handoff pmem only.",
    parse: (value) => SEED_CHOICES.find((choice) => choice === value) ?? fail('"on", "off" or "bring"'),
  },
  seedRate: {
    type: 'MiB/s',
    default: undefined,
    defaultText: "the image's own, 20 unless changed",
    help: 'Upload limit of the real system; 0 for none.',
    parse: parseInteger(0, 100_000, 'MiB per second'),
  },
};

/** `networkTimeout` to `swarmboot.network-timeout`. */
export const parameterName = (key: string): string =>
  `swarmboot.${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Splits a kernel command line as the kernel does: spaces part words, double quotes keep them together. */
export function splitCmdline(cmdline: string): string[] {
  const words: string[] = [];
  for (const match of cmdline.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)) words.push(match[0].replaceAll('"', ''));
  return words;
}

export interface ParsedCmdline {
  readonly parameters: Parameters;
  /** Sentences about parameters that are unknown or wrong; the boot goes on with the default. */
  readonly complaints: readonly string[];
  /** MAC address of `BOOTIF=01-aa-bb-...` (pxelinux's convention, which iPXE scripts follow), lower case with colons. */
  readonly bootInterfaceMac: string | undefined;
}

/** Parses the whole kernel command line, other people's parameters included (they are left alone). */
export function parseCmdline(cmdline: string): ParsedCmdline {
  const byName = new Map(
    Object.entries(PARAMETERS).map(([key, parameter]) => [parameterName(key), { key, parameter }]),
  );
  const values: Record<string, unknown> = {};
  for (const { key, parameter } of byName.values()) values[key] = parameter.default;
  const complaints: string[] = [];
  let bootInterfaceMac: string | undefined;
  for (const word of splitCmdline(cmdline.slice(0, 65536))) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? '' : word.slice(equals + 1);
    if (name === 'BOOTIF') {
      const mac = /^(?:01-)?([0-9a-fA-F]{2}(?:[-:][0-9a-fA-F]{2}){5})$/.exec(value)?.[1];
      if (mac) bootInterfaceMac = mac.toLowerCase().replaceAll('-', ':');
      else complaints.push(`BOOTIF=${value} is ignored: it is not a MAC address like 01-52-54-00-12-34-56`);
    }
    if (!name.startsWith('swarmboot.')) continue;
    const known = byName.get(name);
    if (!known) {
      complaints.push(
        `Unknown parameter "${name}" is ignored; those that exist: ${[...byName.keys()].join(' ')}`,
      );
      continue;
    }
    try {
      values[known.key] = known.parameter.parse(value);
    } catch (error) {
      complaints.push(`Parameter "${word}" is ignored: ${name} ${(error as Error).message}`);
    }
  }
  return { parameters: values as unknown as Parameters, complaints, bootInterfaceMac };
}
