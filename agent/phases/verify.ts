/**
 * Phase verify: every file, read back from where the real kernel will find it, is what was signed. The pieces were
 * verified as they came; this is about the memory they went to. A memmap= region where no RAM is takes writes without
 * a word and keeps them in the page cache only, hence the caches are dropped first.
 */
import { BootError } from '../boot-error.ts';
import type { Engine } from '../engine.ts';
import { findAlteredFiles } from '../hash-files.ts';
import type { Release } from './manifest.ts';
import { dropCaches, type Room } from './memory.ts';
import type { Outcome, PhaseContext } from './runner.ts';
import type { Download } from './swarm.ts';

export interface VerifyOptions {
  readonly engine: Engine;
  readonly release: Release;
  readonly room: Room;
  readonly download: Download;
}

export async function verifyPhase(context: PhaseContext, options: VerifyOptions): Promise<Outcome<void>> {
  const { manifest, metainfo } = options.release;
  context.awaiting('the store to be flushed');
  await options.download.store.sync();
  if (options.room.plan.strategy === 'pmem') {
    dropCaches(context.machine);
  }
  context.awaiting('the image to be read back');
  const readable = await options.engine.openStore(options.room.segments, 'read');
  let altered: string[];
  try {
    altered = await findAlteredFiles(manifest, metainfo, readable, context.signal);
  } catch (error) {
    await readable.close();
    throw error;
  }
  // From here on the image is only read, by the swarm and by kexec.
  await options.download.store.keepReading(readable);
  context.awaiting(undefined);
  if (altered.length > 0) {
    const verb = altered.length > 1 ? 'are' : 'is';
    throw new BootError(
      'verify-failed',
      `Read back from ${options.room.plan.strategy}, ${altered.join(', ')} ${verb} not what was signed`,
      { hint: 'The RAM of this machine loses what is written to it: test it (memtest86+)', retriable: 'no' },
    );
  }
  return { value: undefined, detail: `${manifest.files.length} files, SHA-256 as signed` };
}
