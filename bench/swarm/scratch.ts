/** A folder in memory for images and their copies, gone when the bench ends; those of benches that were killed go too. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, onExit } from '../../qemu/cleanup.ts';

/** tmpfs: a disk would be measured instead of the swarm. */
const MEMORY = '/dev/shm';
const NAME = /^swarmboot-swarm-(\d+)$/;

/** One for each process. */
export function makeScratch(): { readonly path: string; remove(): void } {
  for (const name of readdirSync(MEMORY)) {
    const owner = NAME.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner)))
      rmSync(join(MEMORY, name), { recursive: true, force: true });
  }
  const path = join(MEMORY, `swarmboot-swarm-${process.pid}`);
  mkdirSync(path);
  return { path, remove: onExit(() => rmSync(path, { recursive: true, force: true })) };
}
