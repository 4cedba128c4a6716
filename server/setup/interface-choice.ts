/** Which network interface serves machines: what was asked for, or the only one that can. Pure. */
import { Failure } from '../failure.ts';
import { parseIpv4Network } from '../netboot/ipv4-network.ts';

export interface Candidate {
  readonly name: string;
  readonly mac: string;
  /** `192.168.1.10/24` */
  readonly cidr: string;
}

type Interfaces = Readonly<
  Record<
    string,
    | readonly {
        readonly family: string;
        readonly internal: boolean;
        readonly mac: string;
        readonly cidr: string | null;
      }[]
    | undefined
  >
>;

/** Interfaces with an IPv4 address in a network that machines could be in, as os.networkInterfaces() has them. */
export const candidates = (interfaces: Interfaces): Candidate[] =>
  Object.entries(interfaces).flatMap(([name, addresses]) => {
    const fit = addresses?.find(
      ({ family, internal, cidr }) =>
        family === 'IPv4' && !internal && cidr !== null && parseIpv4Network(cidr) !== undefined,
    );
    return fit?.cidr ? [{ name, mac: fit.mac, cidr: fit.cidr }] : [];
  });

/** Throws `Failure` `no-interface`, `bad-option` with what there is. */
export function chooseInterface(found: readonly Candidate[], wanted: string | undefined): Candidate {
  const list = found.map(({ name, cidr }) => `${name} (${cidr})`).join(', ');
  if (wanted !== undefined) {
    const match = found.find(({ name }) => name === wanted);
    if (match) return match;
    const there = found.length === 0 ? 'none has one' : `there are ${list}`;
    throw new Failure(
      'no-interface',
      `Interface "${wanted}" does not exist or has no IPv4 address (${there})`,
    );
  }
  const [first, ...more] = found;
  if (first === undefined) {
    throw new Failure(
      'no-interface',
      'No network interface has an IPv4 address: give the one that machines boot on a fixed address, then run this again',
    );
  }
  if (more.length > 0)
    throw new Failure('bad-option', `Say which interface machines boot on with --interface: ${list}`);
  return first;
}
