/**
 * The menu that a machine shows, as an iPXE script: pick an image, or wait for the one that was decided. Pure.
 *
 * A machine without keyboard, or on whose keyboard a cat sleeps, boots all the same: the timeout, Escape and an answer
 * that makes no sense all end in the decided image. iPXE's `choose` counts in milliseconds.
 */
import { retrying } from './ipxe-script.ts';

/** A screen of 25 lines, less title and frame. */
const ITEM_LIMIT = 20;

export interface BootMenu {
  readonly baseUrl: string;
  /** What the machine is called; undefined shows its MAC address. */
  readonly machine: string | undefined;
  readonly images: readonly { readonly name: string; readonly version: string }[];
  /** The decided image. */
  readonly image: string;
  readonly reason: string;
  readonly seconds: number;
}

/** What means nothing to iPXE: no ${setting}, no && and ||, no line break, and ASCII only, which is all a BIOS shows. */
export const menuText = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9 .,:_()/"'+-]/g, '?').slice(0, 70);

export function menuScript({ baseUrl, machine, images, image, reason, seconds }: BootMenu): string {
  // The decided one is in the list, however long that is.
  const shown = [
    ...images.filter(({ name }) => name === image),
    ...images.filter(({ name }) => name !== image).slice(0, ITEM_LIMIT - 1),
  ];
  const items = shown.map(({ name, version }) => {
    const why = name === image ? ` (${reason})` : '';
    return `item ${name} ${menuText(`${name} ${version}${why}`)}`;
  });
  return retrying(
    [
      `menu ${menuText('swarmboot: what shall')} ${machine === undefined ? `\${mac}` : menuText(machine)} boot?`,
      ...items,
      `choose --default ${image} --timeout ${seconds * 1000} picked || set picked ${image}`,
      `chain --autofree --replace ${baseUrl}/ipxe?mac=\${mac}&uuid=\${uuid}&arch=\${buildarch}&platform=\${platform}&picked=\${picked} || goto retry`,
    ],
    `cannot load the boot script from ${baseUrl}; does swarmboot serve run there?`,
  );
}
