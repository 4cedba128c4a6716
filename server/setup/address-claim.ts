/**
 * Does another machine on the link have this server's address? Asked by an ARP probe (RFC 5227, section 2.1.1), which
 * claims nothing itself. Node has no sockets for ARP, so arping(8) of iputils sends it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROBES = 2;
/** Seconds; the probes are one second apart. */
const DEADLINE = 3;
/** arping's own deadline comes first. */
const TIMEOUT_MS = 10_000;
/** "Unicast reply from 10.0.0.1 [52:54:00:12:34:56]  0.5ms" */
const REPLY = /\breply from [\d.]+ \[((?:[\dA-Fa-f]{2}:){5}[\dA-Fa-f]{2})\]/g;

export type AddressClaim =
  | { readonly kind: 'free' }
  /** `mac`: of the other machine, in small letters. */
  | { readonly kind: 'taken'; readonly mac: string }
  /** It could not be asked; `reason` is a clause. */
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Who of those that arping heard is not this machine. A machine with two cards on one link answers on either for the
 * addresses of both (arp_ignore in the kernel's ip-sysctl.rst), and so hears itself.
 */
export const strangerIn = (output: string, own: ReadonlySet<string>): string | undefined =>
  [...output.matchAll(REPLY)].map(([, mac = '']) => mac.toLowerCase()).find((mac) => !own.has(mac));

/** MAC addresses of all interfaces, those without an IP address too. */
function ownAddresses(): Set<string> {
  const folder = '/sys/class/net';
  return new Set(
    readdirSync(folder).flatMap((name) => {
      try {
        return [
          readFileSync(join(folder, name, 'address'), 'utf8')
            .trim()
            .toLowerCase(),
        ];
      } catch {
        return []; // not an interface (bonding_masters), or gone meanwhile
      }
    }),
  );
}

/** Asks for `address` (IPv4) on the link of `name`. Takes up to three seconds; needs root. */
export function askForAddress(name: string, address: string): AddressClaim {
  const args = ['-D', '-c', String(PROBES), '-w', String(DEADLINE), '-I', name, address];
  const { error, status, stdout, stderr } = spawnSync('arping', args, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  if (error) return { kind: 'unknown', reason: 'there is no arping (package iputils-arping)' };
  const mac = strangerIn(stdout, ownAddresses());
  if (mac !== undefined) return { kind: 'taken', mac };
  // With -D the status is 1 if there was an answer, and 2 and above if it could not ask.
  if (status === 0 || status === 1) return { kind: 'free' };
  return { kind: 'unknown', reason: `arping says "${(stderr || stdout).trim().split('\n').at(-1) ?? ''}"` };
}
