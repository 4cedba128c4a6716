/** A small release, published for real; its files are noise, which is all that server and swarm care about. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyFiles, loadSecretKey } from '../../server/catalog/keys.ts';
import { RELEASE_FILES } from '../../server/catalog/layout.ts';
import { type Published, publishRelease } from '../../server/catalog/publish.ts';

export const KERNEL_BYTES = 70_000;
export const INITRD_BYTES = 1_100_000;
export const ROOT_BYTES = 2_300_001;

/** Bytes that differ from file to file and position to position. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed + 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

export const payload = {
  kernel: noise(KERNEL_BYTES, 1),
  initrd: noise(INITRD_BYTES, 2),
  root: noise(ROOT_BYTES, 3),
};

/** Publishes the next version of `name` in `folder`/state with the key in `folder`/config, which is made if missing. */
export async function publishSmall(
  folder: string,
  name = 'lab',
  options: { nowMs?: number; place?: (target: string) => Promise<void> } = {},
): Promise<Published> {
  const config = join(folder, 'config');
  try {
    createKeyFiles(config, false);
  } catch {
    // it is there from the release before
  }
  return await publishRelease(
    join(folder, 'state'),
    {
      ...{ name, arch: 'amd64', kernelRelease: '6.12.48+deb13-amd64', cmdline: 'panic=30', expiresDays: 90 },
      strategies: ['pmem', 'cpio'],
      place:
        options.place ??
        (async (target) => {
          for (const role of ['kernel', 'initrd', 'root'] as const)
            writeFileSync(join(target, RELEASE_FILES[role]), payload[role]);
        }),
    },
    loadSecretKey(config),
    options.nowMs ?? Date.now(),
  );
}
