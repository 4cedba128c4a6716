/**
 * A DHCP lease as busybox udhcpc hands it to our script, parsed strictly: it is the first thing a stranger on the
 * network can say to the agent, and it ends up as arguments of `ip`.
 */
import { isIPv4 } from 'node:net';

export interface Lease {
  readonly address: string;
  readonly prefixLength: number;
  readonly routers: readonly string[];
  readonly nameServers: readonly string[];
  /** Address of the DHCP server. */
  readonly server: string | undefined;
}

export class LeaseError extends Error {
  readonly code = 'lease-malformed';
  constructor(message: string) {
    super(message);
    this.name = 'LeaseError';
  }
}

/**
 * Run by udhcpc with the event as argument and the lease in variables (busybox, networking/udhcp/dhcpc.c). Only
 * fields that udhcpc itself prints as addresses are passed on: a text option could carry line ends.
 */
export const LEASE_SCRIPT = `#!/bin/sh
case "$1" in
bound|renew)
	{
		echo "ip=$ip"
		echo "subnet=$subnet"
		echo "router=$router"
		echo "dns=$dns"
		echo "serverid=$serverid"
	} >"$SWARMBOOT_LEASE.new" && mv "$SWARMBOOT_LEASE.new" "$SWARMBOOT_LEASE"
	;;
esac
`;

const LIMIT_CHARACTERS = 4096;
/** More routers or name servers than this are not looked at. */
const LIST_LIMIT = 4;

const toNumber = (address: string): number =>
  address.split('.').reduce((value, part) => value * 256 + Number(part), 0);

/** Prefix length of a netmask whose ones are contiguous, or undefined. */
export function prefixLengthOf(netmask: string): number | undefined {
  if (!isIPv4(netmask)) return undefined;
  const bits = toNumber(netmask).toString(2).padStart(32, '0');
  return /^1+0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined;
}

/** Whether both addresses are in one network of that prefix length. */
export const sameNetwork = (a: string, b: string, prefixLength: number): boolean =>
  Math.floor(toNumber(a) / 2 ** (32 - prefixLength)) === Math.floor(toNumber(b) / 2 ** (32 - prefixLength));

/** An address that a machine can have or be reached at. */
function isUsable(address: string): boolean {
  if (!isIPv4(address)) return false;
  const first = toNumber(address) >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

/** Parses what `LEASE_SCRIPT` wrote. Throws `LeaseError`. */
export function parseLease(text: string): Lease {
  const fields = new Map<string, string>();
  for (const line of text.slice(0, LIMIT_CHARACTERS).split('\n')) {
    const equals = line.indexOf('=');
    const name = line.slice(0, Math.max(0, equals));
    if (fields.has(name)) throw new LeaseError(`DHCP lease names "${name}" twice`);
    if (equals > 0) fields.set(name, line.slice(equals + 1).trim());
  }
  const address = fields.get('ip') ?? '';
  if (!isUsable(address)) throw new LeaseError(`DHCP lease has no usable address: "${address}"`);
  const netmask = fields.get('subnet') ?? '';
  const prefixLength = prefixLengthOf(netmask);
  if (prefixLength === undefined || prefixLength < 8) {
    throw new LeaseError(`DHCP lease for ${address} has no usable netmask: "${netmask}"`);
  }
  const list = (name: string): string[] => {
    const words = (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    const wrong = words.find((word) => !isUsable(word));
    if (wrong !== undefined)
      throw new LeaseError(`DHCP lease for ${address} has a wrong ${name}: "${wrong}"`);
    return words.slice(0, LIST_LIMIT);
  };
  return {
    address,
    prefixLength,
    routers: list('router'),
    nameServers: list('dns'),
    server: list('serverid')[0],
  };
}
