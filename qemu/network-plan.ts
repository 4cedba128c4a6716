/**
 * The lab's network as data: names, addresses and the ip(8) commands that make it. Pure.
 *
 * One namespace per lab, so that addresses never clash with the host's or another lab's. In it a bridge, one tap for
 * each machine and, for ProxyDHCP, a veth to a second namespace that plays the site's own DHCP server.
 */
export const BRIDGE = 'br0';
/** Our end of the boot network; for IPv6 as well: iPXE waits 16 s for a router advertisement if nobody sends any. */
export const SERVER_ADDRESS = '10.77.0.1';
export const PREFIX_V6 = 'fd77::/64';
export const SERVER_ADDRESS_V6 = 'fd77::1';
export const SITE_ADDRESS = '10.77.0.254';

const PREFIX = 'swb';
/** `swb-<pid of the owner>-<number>[-site]`; the pid tells if the owner still lives. */
const NAME = /^swb-(\d+)-(\d+)(-site)?$/;

export const namespaceName = (pid: number, number: number): string => `${PREFIX}-${pid}-${number}`;
export const siteNamespaceName = (namespace: string): string => `${namespace}-site`;

/** The pid in a namespace's name; undefined if the name is not one of ours. */
export function ownerOf(namespace: string): number | undefined {
  const match = NAME.exec(namespace);
  return match ? Number(match[1]) : undefined;
}

/** Those of `namespaces` that a killed run has left behind. */
export const leftovers = (namespaces: readonly string[], isAlive: (pid: number) => boolean): string[] =>
  namespaces.filter((name) => {
    const owner = ownerOf(name);
    return owner !== undefined && !isAlive(owner);
  });

export const tapName = (machine: number): string => `tap${machine}`;

/** Locally administered (QEMU's 52:54:00), `lab` and `machine` from 0 to 255 and 254. */
export const machineMac = (machine: number): string => {
  if (!Number.isInteger(machine) || machine < 0 || machine > 253)
    throw new RangeError(`A lab has at most 254 machines, not ${machine + 1}`);
  return `52:54:00:77:00:${(machine + 1).toString(16).padStart(2, '0')}`;
};

export interface NetworkPlan {
  readonly namespace: string;
  readonly machines: number;
  /** A second namespace that plays the site's DHCP server. */
  readonly site: boolean;
  /** Rate of each machine's link, both ways, in bits per second. */
  readonly linkBitsPerSecond?: number;
}

/** tc-tbf(8): a burst of 1/250 s, so that a timer of 250 Hz can keep up the rate, but not below 16 KiB. */
export function shapingArguments(device: string, bitsPerSecond: number): string[] {
  const burst = Math.max(16384, Math.ceil(bitsPerSecond / 8 / 250));
  return [
    ...['tc', 'qdisc', 'replace', 'dev', device, 'root', 'tbf'],
    ...['rate', `${bitsPerSecond}bit`, 'burst', `${burst}b`, 'latency', '100ms'],
  ];
}

/** Commands, in order, with the namespace that each runs in (undefined: the host's). */
export function networkCommands(plan: NetworkPlan): { namespace: string | undefined; argv: string[] }[] {
  const host = (...argv: string[]) => ({ namespace: undefined, argv });
  const inside = (...argv: string[]) => ({ namespace: plan.namespace, argv });
  const commands = [
    host('ip', 'netns', 'add', plan.namespace),
    inside('ip', 'link', 'set', 'lo', 'up'),
    // forward_delay 0: else the bridge learns for 15 s before it forwards the first DHCP packet.
    inside('ip', 'link', 'add', BRIDGE, 'type', 'bridge', 'forward_delay', '0'),
    inside('ip', 'address', 'add', `${SERVER_ADDRESS}/24`, 'dev', BRIDGE),
    // The host may have IPv6 off by default; a kernel without any is no reason to stop (iPXE then waits).
    inside('sh', '-c', `echo 0 >/proc/sys/net/ipv6/conf/${BRIDGE}/disable_ipv6 || true`),
    inside('sh', '-c', `ip -6 address add ${SERVER_ADDRESS_V6}/64 dev ${BRIDGE} nodad || true`),
    inside('ip', 'link', 'set', BRIDGE, 'up'),
  ];
  for (let machine = 0; machine < plan.machines; machine++) {
    const tap = tapName(machine);
    commands.push(inside('ip', 'tuntap', 'add', 'dev', tap, 'mode', 'tap'));
    commands.push(inside('ip', 'link', 'set', tap, 'master', BRIDGE, 'up'));
    if (plan.linkBitsPerSecond !== undefined)
      commands.push(inside(...shapingArguments(tap, plan.linkBitsPerSecond)));
  }
  if (plan.site) {
    const site = siteNamespaceName(plan.namespace);
    const there = (...argv: string[]) => ({ namespace: site, argv });
    commands.push(
      host('ip', 'netns', 'add', site),
      inside('ip', 'link', 'add', 'site0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', site),
      inside('ip', 'link', 'set', 'site0', 'master', BRIDGE, 'up'),
      there('ip', 'link', 'set', 'lo', 'up'),
      there('ip', 'address', 'add', `${SITE_ADDRESS}/24`, 'dev', 'eth0'),
      there('ip', 'link', 'set', 'eth0', 'up'),
    );
  }
  return commands;
}

/** Configuration of the site's own DHCP server: addresses and nothing about booting, as a router would give. */
export const siteDhcpConfiguration = (folder: string): string =>
  [
    '# The site: leases only.',
    'port=0',
    'interface=eth0',
    'bind-interfaces',
    'dhcp-authoritative',
    'dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,1h',
    `dhcp-leasefile=${folder}/site.leases`,
    'log-dhcp',
    '',
  ].join('\n');
