/**
 * The network of a swarm bench as data: names, addresses and the ip(8) and tc(8) commands that make it. Pure.
 *
 * One namespace for the server, one for each machine, and a hub with the bridge between them, which is the switch.
 * Each link is shaped at both ends: what a machine sends by its own `eth0`, what it receives by the bridge's port.
 */

/** `sbn-<pid of the owner>-<place>`; the pid tells if the owner still lives. */
const NAME = /^sbn-(\d+)-(hub|\d+)$/;

/** A place: 0 is the server, machines count from 1. */
export const namespaceName = (pid: number, place: number | 'hub'): string => `sbn-${pid}-${place}`;
export const portName = (place: number): string => `port${place}`;

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

export const MOST_MACHINES = 250;
export const SERVER_ADDRESS = '10.79.0.1';

export function addressOf(place: number): string {
  if (!Number.isInteger(place) || place < 0 || place > MOST_MACHINES)
    throw new RangeError(`A swarm here has at most ${MOST_MACHINES} machines, not ${place}`);
  return `10.79.0.${place + 1}`;
}

/** How long a full queue takes to drain, in milliseconds: about the bytes that a switch keeps for a port. */
const QUEUE_MS = 50;
/**
 * Smallest burst, in bytes: the largest group in which the kernel hands TCP's segments over, 64 KiB in full frames. tbf
 * cuts a larger group than the burst into frames, each with a timer of its own, and that was most of what this host did.
 * An idle link may send so much at once; over an image it is nothing.
 */
const SMALLEST_BURST_BYTES = 72 * 1024;
/** What the timer may oversleep, in seconds. tbf uses high-resolution timers, so HZ does not matter. */
const TIMER_SECONDS = 0.002;

/** tc-tbf(8) in front of a device. Lengths there are those of Ethernet frames without preamble and checksum. */
export function shapingArguments(device: string, bitsPerSecond: number): string[] {
  const burst = Math.max(SMALLEST_BURST_BYTES, Math.ceil((bitsPerSecond / 8) * TIMER_SECONDS));
  return [
    ...['tc', 'qdisc', 'replace', 'dev', device, 'root', 'tbf'],
    ...['rate', `${Math.round(bitsPerSecond)}bit`, 'burst', `${burst}b`, 'latency', `${QUEUE_MS}ms`],
  ];
}

export interface Command {
  readonly namespace: string | undefined;
  readonly argv: readonly string[];
}

/** Shapes both ends of one link. */
export function linkCommands(pid: number, place: number, bitsPerSecond: number): Command[] {
  return [
    { namespace: namespaceName(pid, place), argv: shapingArguments('eth0', bitsPerSecond) },
    { namespace: namespaceName(pid, 'hub'), argv: shapingArguments(portName(place), bitsPerSecond) },
  ];
}

/** Debian's default; this host's may be another. */
export const CONGESTION_CONTROL = 'cubic';

/**
 * What makes every machine a fresh Debian, which remembers no connection of the round before, and spares this host: TCP
 * hands at least so many segments over at a time, as it does on a fast link. By default it would be two at these rates,
 * and a CPU that plays 17 machines and a switch would do little else than wake up.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  'net/ipv4/tcp_congestion_control': CONGESTION_CONTROL,
  'net/ipv4/tcp_no_metrics_save': '1',
  'net/ipv4/tcp_min_tso_segs': '8',
};

/** Commands, in order. `ratesBitsPerSecond` has the rate of each place's link, the server's first. */
export function networkCommands(pid: number, ratesBitsPerSecond: readonly number[]): Command[] {
  const hub = namespaceName(pid, 'hub');
  const host = (...argv: string[]): Command => ({ namespace: undefined, argv });
  const atHub = (...argv: string[]): Command => ({ namespace: hub, argv });
  const commands = [
    host('ip', 'netns', 'add', hub),
    // forward_delay 0: else the bridge learns for 15 s first. No snooping: nobody here asks who wants which multicast.
    atHub('ip', 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0'),
    // A switch does not filter; where the host filters bridged frames, the namespace would as well.
    atHub(
      'sh',
      '-c',
      'for to in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e "$to" ] || echo 0 >"$to"; done',
    ),
    atHub('ip', 'link', 'set', 'br0', 'up'),
  ];
  for (const [place, rate] of ratesBitsPerSecond.entries()) {
    const namespace = namespaceName(pid, place);
    const there = (...argv: string[]): Command => ({ namespace, argv });
    const port = portName(place);
    const settings = Object.entries(SETTINGS).map(([key, value]) => `echo ${value} >/proc/sys/${key}`);
    commands.push(
      host('ip', 'netns', 'add', namespace),
      atHub('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace),
      atHub('ip', 'link', 'set', port, 'master', 'br0', 'up'),
      there('sh', '-ec', settings.join('; ')),
      there('ip', 'link', 'set', 'lo', 'up'),
      there('ip', 'address', 'add', `${addressOf(place)}/24`, 'brd', '+', 'dev', 'eth0'),
      there('ip', 'link', 'set', 'eth0', 'up'),
      // For multicast, which goes where the default route goes.
      there('ip', 'route', 'add', 'default', 'dev', 'eth0'),
      ...linkCommands(pid, place, rate),
    );
  }
  return commands;
}

/**
 * Bytes that each port of the bridge has sent so far, by device, from `tc -s -j qdisc show`. tc counts every frame with
 * its headers, where the interface's own counter takes a group of segments for one frame.
 */
export function sentBytesByPort(json: string): Map<string, number> {
  const rows = JSON.parse(json) as { kind: string; dev: string; bytes: number; drops: number }[];
  return new Map(rows.filter(({ kind }) => kind === 'tbf').map(({ dev, bytes }) => [dev, bytes]));
}
