/** Phase linger: go on seeding while it helps others, within bounds. */
import type { Linger } from '../../contract/parameters.ts';
import { mebibytes } from '../console.ts';
import { reasonToStop } from '../linger-policy.ts';
import { releaseName } from '../release.ts';
import type { Release } from './manifest.ts';
import type { Outcome, PhaseContext } from './runner.ts';
import { type Download, progressEvent } from './swarm.ts';

export interface LingerOptions {
  readonly linger: Linger;
  readonly release: Release;
  readonly download: Download;
}

const ASK_MS = 1000;

export async function lingerPhase(context: PhaseContext, options: LingerOptions): Promise<Outcome<void>> {
  const { machine, telemetry, signal } = context;
  const { swarm } = options.download;
  const release = releaseName(options.release.manifest);
  const startedMs = machine.now();
  let answeredMs = startedMs;
  let zerosInARow = 0;
  let waitingFor = 'the server to say whether a machine needs this one';
  for (;;) {
    const nowMs = machine.now();
    const stats = swarm.stats();
    const reason = reasonToStop(options.linger, {
      elapsedSeconds: (nowMs - startedMs) / 1000,
      silentSeconds: (nowMs - answeredMs) / 1000,
      zerosInARow,
      uploadedBytes: stats.uploaded,
      imageBytes: stats.totalBytes,
    });
    if (reason !== undefined) {
      return { value: undefined, detail: `${reason}, ${mebibytes(stats.uploaded)} MiB given to others` };
    }
    context.awaiting(waitingFor);
    const answer = await telemetry.ask(progressEvent(release, stats, 0));
    if (answer) {
      answeredMs = machine.now();
      zerosInARow = answer.neededBy === 0 ? zerosInARow + 1 : 0;
      waitingFor = 'machines that still need this one';
    }
    await machine.sleep(ASK_MS, signal);
  }
}
