/**
 * Makes a stage-1 that was built for any site into this site's: puts the public key behind its initrd.
 *
 * Invariant: kernel and initrd in the state folder belong together; a machine that boots meanwhile gets the old files
 * whole or the new ones.
 */
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { keyArchive } from '../../contract/stage1-key.ts';
import { loadPublicKey } from '../catalog/keys.ts';
import { publicKeyPath } from '../catalog/layout.ts';
import { Failure, systemCode } from '../failure.ts';

export const STAGE1_FILES = { kernel: 'vmlinuz', initrd: 'initrd.img' } as const;

export interface Stage1Source {
  /** Folder with `vmlinuz` and a keyless `initrd.img`, as scripts/build-stage1 --no-key writes it. */
  readonly from: string;
  /** Folder to fill; made if need be. */
  readonly into: string;
  /** Folder of the release key. */
  readonly config: string;
}

/** Returns the bytes that each machine will fetch. Throws `Failure` `missing-key` or `missing-stage1`. */
export async function installStage1({ from, into, config }: Stage1Source): Promise<number> {
  loadPublicKey(config);
  const key = await readFile(publicKeyPath(config), 'utf8');
  const initrd = await readFile(join(from, STAGE1_FILES.initrd)).catch((cause: unknown) => {
    if (systemCode(cause) !== 'ENOENT') throw cause;
    throw new Failure(
      'missing-stage1',
      `There is no stage-1 in ${from}; install the package swarmboot-stage1-amd64, or build one with scripts/build-stage1`,
      { cause },
    );
  });
  await mkdir(dirname(into), { recursive: true });
  const work = `${into}.${process.pid}.new`;
  const old = `${into}.${process.pid}.old`;
  try {
    await mkdir(work);
    await copyFile(join(from, STAGE1_FILES.kernel), join(work, STAGE1_FILES.kernel));
    const whole = Buffer.concat([initrd, keyArchive(key, initrd.length)]);
    await writeFile(join(work, STAGE1_FILES.initrd), whole);
    // The daemon has a user of its own and must read them, whatever the umask of who installs.
    for (const name of Object.values(STAGE1_FILES)) await chmod(join(work, name), 0o644);
    await chmod(work, 0o755);
    // A folder cannot be replaced in one step: for an instant there is none, and iPXE tries again.
    await rename(into, old).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
    });
    await rename(work, into);
    const kernel = await readFile(join(into, STAGE1_FILES.kernel));
    return kernel.length + whole.length;
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}
