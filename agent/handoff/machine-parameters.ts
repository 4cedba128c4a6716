/**
 * What the real system is told of this very machine, on its kernel's command line; the image is the same for all. Pure.
 * The boot script in front of the image's initrd reads it (server/image/initramfs/boot-script.sh).
 */
import type { Parameters } from '../../contract/parameters.ts';
import type { Lease } from '../network/lease.ts';

export interface MachineFacts {
  /** Of the card that was booted from, lower case with colons. */
  readonly mac: string;
  readonly lease: Pick<Lease, 'address' | 'prefixLength' | 'routers' | 'nameServers'>;
}

/** `ADDRESS/PREFIX,ROUTER,NAMESERVER...`; without a router there is nothing between the first two commas. */
const leaseText = ({ address, prefixLength, routers, nameServers }: MachineFacts['lease']): string =>
  [`${address}/${prefixLength}`, routers[0] ?? '', ...nameServers].join(',');

export function machineParameters(
  { append, hostname, overlay }: Pick<Parameters, 'append' | 'hostname' | 'overlay'>,
  { mac, lease }: MachineFacts,
): string {
  return [
    append,
    // pxelinux's word, which LTSP and live-boot know too, for the card that is on the network.
    `BOOTIF=01-${mac.replaceAll(':', '-')}`,
    `swarmboot.lease=${leaseText(lease)}`,
    ...(hostname === undefined ? [] : [`swarmboot.hostname=${hostname}`]),
    ...(overlay === undefined ? [] : [`swarmboot.overlay=${overlay}`]),
  ]
    .join(' ')
    .trim();
}
