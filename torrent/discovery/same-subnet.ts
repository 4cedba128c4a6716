/** Which peers are on a link of ours, and not behind a router that their bytes would have to pass. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { networkInterfaces } from 'node:os';

/** True for hosts in a subnet of one of these interfaces, loopback excepted; false for names, which are not resolved. */
export function sameSubnet(interfaces: ReturnType<typeof networkInterfaces>): (host: string) => boolean {
  const subnets = new BlockList();
  for (const address of Object.values(interfaces).flatMap((addresses = []) => addresses)) {
    const prefix = Number(address.cidr?.split('/')[1]);
    if (address.internal || !Number.isInteger(prefix)) continue;
    subnets.addSubnet(address.address, prefix, address.family === 'IPv4' ? 'ipv4' : 'ipv6');
  }
  return (host) => {
    // A scope (`fe80::1%eth0`) says through which interface; the address is the link's in any case.
    const [address = ''] = host.split('%');
    if (isIPv4(address)) return subnets.check(address, 'ipv4');
    return isIPv6(address) && subnets.check(address, 'ipv6');
  };
}
