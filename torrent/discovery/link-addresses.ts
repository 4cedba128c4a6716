/** Through which interfaces of this machine the link is spoken to. */
import { isIPv4, isIPv6 } from 'node:net';
import type { networkInterfaces } from 'node:os';

export interface LinkAddress {
  readonly family: 'IPv4' | 'IPv6';
  /** Ours on that interface; IPv6 link-local ones with their scope, `fe80::1%eth0`. */
  readonly address: string;
  /** What names the interface to the multicast calls: an IPv4 address, or `::%eth0`. */
  readonly multicastInterface: string;
}

const isLinkLocal = (address: string): boolean => /^fe[89ab]/i.test(address);

/**
 * One address for each interface and family. `host` is where we listen: with an address of ours only its interface is
 * used, else all but loopback; `0.0.0.0` hears no IPv6.
 */
export function linkAddresses(
  interfaces: ReturnType<typeof networkInterfaces>,
  host: string | undefined,
): LinkAddress[] {
  const only = host === undefined || host === '::' || host === '0.0.0.0' ? undefined : host;
  const families = host === '0.0.0.0' ? (['IPv4'] as const) : (['IPv4', 'IPv6'] as const);
  const found: LinkAddress[] = [];
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    // The link-local IPv6 address is the one that every neighbour can answer.
    const ordered = addresses.toSorted(
      (a, b) => Number(isLinkLocal(b.address)) - Number(isLinkLocal(a.address)),
    );
    for (const family of families) {
      const usable = ordered.find(({ address, internal }) => {
        const scoped = isLinkLocal(address) ? `${address}%${name}` : address;
        return (
          (family === 'IPv4' ? isIPv4(address) : isIPv6(address)) &&
          (only === undefined ? !internal : only === address || only === scoped)
        );
      });
      if (!usable) continue;
      const { address } = usable;
      found.push(
        family === 'IPv4'
          ? { family, address, multicastInterface: address }
          : {
              family,
              address: isLinkLocal(address) ? `${address}%${name}` : address,
              multicastInterface: `::%${name}`,
            },
      );
    }
  }
  return found;
}
