/** Network interfaces and Ethernet hardware as /sys shows them, and the choice among them. */
import { listFolder, type Machine, readText, resolveLink } from '../machine.ts';

export interface Interface {
  readonly name: string;
  /** Lower case with colons. */
  readonly mac: string;
  /** `unknown` while the interface is down, and for drivers that do not tell. */
  readonly carrier: 'yes' | 'no' | 'unknown';
}

/** ARPHRD_ETHER of if_arp.h. */
const ETHERNET = '1';

/** Wired Ethernet interfaces with hardware behind them, sorted by name. */
export function scanInterfaces(machine: Machine): Interface[] {
  const found: Interface[] = [];
  for (const name of listFolder(machine, '/sys/class/net')) {
    const folder = `/sys/class/net/${name}`;
    const mac = readText(machine, `${folder}/address`)?.toLowerCase() ?? '';
    const wired =
      readText(machine, `${folder}/type`) === ETHERNET &&
      // Bridges, veths, lo have no device; Wi-Fi has a phy80211.
      resolveLink(machine, `${folder}/device`) !== undefined &&
      resolveLink(machine, `${folder}/phy80211`) === undefined &&
      resolveLink(machine, `${folder}/wireless`) === undefined;
    if (!wired || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) continue;
    const carrier = readText(machine, `${folder}/carrier`);
    found.push({ name, mac, carrier: carrier === '1' ? 'yes' : carrier === '0' ? 'no' : 'unknown' });
  }
  return found;
}

export interface Choice {
  readonly interfaces: readonly Interface[];
  /** How the choice was made, for the console: `BOOTIF=52:54:...`. */
  readonly by: string;
}

/**
 * The interfaces to use. `wanted` is swarmboot.interface (a name or MAC) and binds; `bootMac` (BOOTIF=) is what the
 * firmware used and is only preferred: a dock or a USB adapter may show another address than it did to the firmware.
 */
export function chooseInterfaces(
  all: readonly Interface[],
  wanted: string | undefined,
  bootMac: string | undefined,
  waitForBootMac: boolean,
): Choice {
  if (wanted !== undefined) {
    const name = wanted.toLowerCase();
    return {
      interfaces: all.filter((nic) => nic.name === wanted || nic.mac === name),
      by: `swarmboot.interface=${wanted}`,
    };
  }
  if (bootMac !== undefined) {
    const boot = all.filter((nic) => nic.mac === bootMac);
    if (boot.length > 0 || waitForBootMac) return { interfaces: boot, by: `BOOTIF=${bootMac}` };
  }
  return { interfaces: all, by: 'every wired interface' };
}

/** PCI ids of Ethernet controllers that no driver took, as `8086:15f3 at 0000:00:1f.6`. */
export function ethernetWithoutDriver(machine: Machine): string[] {
  const folder = '/sys/bus/pci/devices';
  const id = (slot: string, file: string): string =>
    (readText(machine, `${folder}/${slot}/${file}`) ?? '').replace(/^0x/, '');
  return listFolder(machine, folder)
    .filter((slot) => id(slot, 'class').startsWith('0200')) // PCI class 02 network, subclass 00 Ethernet
    .filter((slot) => resolveLink(machine, `${folder}/${slot}/driver`) === undefined)
    .map((slot) => `${id(slot, 'vendor')}:${id(slot, 'device')} at ${slot}`);
}
