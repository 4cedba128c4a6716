/** Whether the real system shall check its root whenever it is read, and by what. Pure. */
import type { Manifest } from '../../contract/manifest.ts';
import { BootError } from '../boot-error.ts';

export type Seal = NonNullable<Manifest['verity']>;

/**
 * The seal of the image if it is `wanted`. Throws `BootError` with code `no-verity` where the image has none: who asked for
 * the check does not want a system without it.
 */
export function sealOf(
  { name, verity }: Pick<Manifest, 'name' | 'verity'>,
  wanted: boolean,
): Seal | undefined {
  if (!wanted) return undefined;
  if (verity) return verity;
  throw new BootError(
    'no-verity',
    `swarmboot.verity=on asks for a root that is checked while it runs, which image "${name}" cannot give`,
    {
      hint: 'Install dmsetup in the image and publish it anew, or take swarmboot.verity=on away',
      retriable: 'no',
    },
  );
}
