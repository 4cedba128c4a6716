/** What the routes need of the rest of the server. */
import type { BootDesk } from '../assignments/boot-desk.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Release } from '../catalog/load-release.ts';
import type { MachineBook } from '../machines/machine-book.ts';
import type { Tracker } from '../tracker/tracker.ts';
import type { Traffic } from './traffic.ts';

export interface HttpDependencies {
  readonly state: string;
  /** As given by --public-url; undefined takes what the machine asked for. */
  readonly publicUrl: string | undefined;
  /** Whether the image's files are served over HTTP. */
  readonly webseed: boolean;
  readonly catalog: Pick<Catalog, 'current' | 'find'>;
  readonly desk: Pick<BootDesk, 'advise' | 'scriptGiven' | 'initramfsSent' | 'reported'>;
  readonly seederPort: (release: Release) => number | undefined;
  readonly seederBytes: () => number;
  readonly machines: MachineBook;
  readonly tracker: Pick<Tracker, 'announce' | 'scrape'>;
  readonly traffic: Traffic;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
