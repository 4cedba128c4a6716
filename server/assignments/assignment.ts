/**
 * What an administrator has decided: for whom (`target`), and what.
 *
 * Invariant: the key of a target has one spelling, so that two rows never mean the same machines: a MAC address in lower
 * case, a subnet by its first address. Pure.
 */
import { ARCHES, type Arch } from '../../contract/manifest.ts';
import { Failure } from '../failure.ts';
import { checkMac } from '../machines/names.ts';
import { formatIpv4, parseIpv4 } from '../netboot/ipv4-network.ts';

/** From the most specific to the most general: the first that names an image decides. */
export const SCOPES = ['machine', 'group', 'subnet', 'arch', 'default'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Target {
  readonly scope: Scope;
  /** MAC address, group, `10.0.0.0/24`, Debian architecture; '' for the default. */
  readonly key: string;
}

/** A field that is undefined leaves the matter to the next, more general assignment. */
export interface Assignment {
  readonly target: Target;
  readonly image: string | undefined;
  /** For stage-1. Those of all levels are added up. */
  readonly parameters: string | undefined;
  /** For the kernel of the real system. Those of all levels are added up. */
  readonly systemParameters: string | undefined;
  /** How long the machine shows a menu of all images; 0 for none. */
  readonly menuSeconds: number | undefined;
}

export const MENU_SECONDS_LIMIT = 3600;

/** A subnet of IPv4 addresses; prefix lengths 1 to 32. */
export interface Subnet {
  readonly first: number;
  readonly size: number;
}

/** `10.0.0.7/24` to the numbers of 10.0.0.0/24; undefined for anything else. */
export function parseSubnet(text: string): (Subnet & { readonly key: string }) | undefined {
  const [address = '', length = '', ...rest] = text.split('/');
  const value = parseIpv4(address);
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : 0;
  if (value === undefined || rest.length > 0 || prefix < 1 || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const first = Math.floor(value / size) * size;
  return { first, size, key: `${formatIpv4(first)}/${prefix}` };
}

export const isInSubnet = ({ first, size }: Subnet, ip: string): boolean => {
  const value = parseIpv4(ip);
  return value !== undefined && value >= first && value < first + size;
};

export const isArch = (text: string): text is Arch => (ARCHES as readonly string[]).includes(text);

/** The target of a scope in its one spelling. Throws `Failure` `bad-option`. */
export function makeTarget(scope: Scope, text: string): Target {
  switch (scope) {
    case 'machine':
      return { scope, key: checkMac(text) };
    case 'subnet': {
      const subnet = parseSubnet(text);
      if (subnet) return { scope, key: subnet.key };
      throw new Failure('bad-option', `"${text}" is not an IPv4 subnet like 192.168.1.0/24`);
    }
    case 'arch':
      if (isArch(text)) return { scope, key: text };
      throw new Failure('bad-option', `"${text}" is not an architecture: ${ARCHES.join(' or ')}`);
    case 'group':
      return { scope, key: text };
    case 'default':
      return { scope, key: '' };
  }
}

/** `group lab1`, `the default`: for sentences. */
export const describeTarget = ({ scope, key }: Target): string =>
  scope === 'default' ? 'the default' : `${scope} ${key}`;
