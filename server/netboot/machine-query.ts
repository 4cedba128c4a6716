/** What iPXE says of its machine in the query of /ipxe; parsed once, strictly, because it comes from the network. */
import { type Arch, NAME_PATTERN } from '../../contract/manifest.ts';

export interface MachineQuery {
  /** Lower case with colons; undefined if iPXE did not say (or said nonsense). */
  readonly mac: string | undefined;
  /** undefined for an architecture that swarmboot has no stage-1 for. */
  readonly arch: Arch | undefined;
  /** For the message to a machine of an unknown architecture; only [a-z0-9_] survive. */
  readonly archText: string;
  readonly platform: 'pcbios' | 'efi' | undefined;
  readonly uuid: string | undefined;
  /** Image that was picked in the boot menu. */
  readonly picked: string | undefined;
}

/** iPXE's ${buildarch}: undionly.kpxe is an i386 program, on machines that are 64-bit all the same. */
const ARCHES: Readonly<Record<string, Arch>> = { i386: 'amd64', x86_64: 'amd64', arm64: 'arm64' };

/** `52:54:00:AA:00:06` or with dashes, to lower case with colons; undefined for anything else. */
export function parseMac(text: unknown): string | undefined {
  if (typeof text !== 'string' || !/^[0-9a-fA-F]{2}([:-])(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}$/.test(text)) {
    return undefined;
  }
  return text.toLowerCase().replaceAll('-', ':');
}

export function parseMachineQuery(query: Readonly<Record<string, unknown>>): MachineQuery {
  const { mac, arch, platform, uuid, picked } = query;
  const archText = typeof arch === 'string' ? arch.toLowerCase().replaceAll(/[^a-z0-9_]/g, '') : '';
  const lowerUuid = typeof uuid === 'string' ? uuid.toLowerCase() : '';
  return {
    mac: parseMac(mac),
    // A machine that does not say is an x86 one: so it was before iPXE had another architecture.
    arch:
      arch === undefined || arch === ''
        ? 'amd64'
        : Object.hasOwn(ARCHES, archText)
          ? ARCHES[archText]
          : undefined,
    archText: archText.slice(0, 16),
    platform: platform === 'pcbios' || platform === 'efi' ? platform : undefined,
    picked: typeof picked === 'string' && NAME_PATTERN.test(picked) ? picked : undefined,
    uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(lowerUuid) ? lowerUuid : undefined,
  };
}
