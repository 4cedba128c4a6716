/** Which of this machine's IPv4 addresses a peer can reach: the one in the peer's own network. Pure. */
import type { NetworkInterfaceInfo } from 'node:os';

const toNumber = (address: string): number | undefined => {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
};

/** `interfaces` as os.networkInterfaces() gives them; undefined where no network of ours holds `remote`. */
export function localAddressFor(
  remote: string,
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): string | undefined {
  const remoteNumber = toNumber(remote.replace(/^::ffff:/, ''));
  if (remoteNumber === undefined) return undefined;
  for (const infos of Object.values(interfaces)) {
    for (const { family, address, netmask } of infos ?? []) {
      const own = toNumber(address);
      const mask = toNumber(netmask);
      if (family !== 'IPv4' || own === undefined || mask === undefined) continue;
      // >>> 0: bit operations are signed in JavaScript
      if ((own & mask) >>> 0 === (remoteNumber & mask) >>> 0) return address;
    }
  }
  return undefined;
}
