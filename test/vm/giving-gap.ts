/**
 * How long a machine gives nothing when its real system takes over: measured from outside, by a peer that asks it for a
 * block five times a second from stage-1 on.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../contract/manifest.ts';
import type { Lab } from '../../qemu/lab.ts';
import type { Machine } from '../../qemu/machine.ts';
import { Program } from '../../qemu/program.ts';
import type { Timeline } from '../../qemu/timeline.ts';
import { parseMetainfo } from '../../torrent/index.ts';
import { IMAGE, STATE } from './prepare.ts';
import { until } from './until.ts';

const FIRST_BLOCK_MS = 240_000;
/** From the agent's last word to the end of its kernel: what comes later comes from the real system. */
const JUMP_MS = 2000;

const release = join(STATE, 'images', IMAGE, 'current');

/** The numbers that all must agree on. */
export function imageFacts() {
  const manifest = parseManifest(readFileSync(join(release, 'manifest.json')));
  const metainfo = parseMetainfo(readFileSync(join(release, 'image.torrent')));
  const root = metainfo.files.find(({ path }) => path === 'root.squashfs');
  assert.ok(root);
  return {
    imageBytes: metainfo.payloadLength,
    pieceCount: metainfo.pieceCount,
    kernelRelease: manifest.kernelRelease,
    infohash: metainfo.wireInfohash.toString('hex'),
    rootPiece: root.offset / metainfo.pieceLength,
    rootPieces: Math.floor(root.length / metainfo.pieceLength),
  };
}

const addressOf = (lab: Lab, { mac }: Machine): string | undefined =>
  readFileSync(join(lab.folder, 'leases'), 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, lease]) => lease === mac)?.[2];

/** In ms of this computer's clock. */
interface Answers {
  /** When the machine let the asker in. */
  readonly met: readonly number[];
  /** When a block came. */
  readonly got: readonly number[];
  stop(): Promise<void>;
}

/** Asks the machine for blocks all the time; the result grows. */
async function askForBlocks(lab: Lab, machine: Machine): Promise<Answers> {
  const { infohash, rootPiece, rootPieces } = imageFacts();
  await machine.expect(/^swarmboot: phase swarm: start/m, { from: 0, timeoutMs: 240_000 });
  const address = addressOf(lab, machine);
  assert.ok(address, `${machine.name} has no lease`);
  const [met, got]: [number[], number[]] = [[], []];
  let text = '';
  const asker = new Program({
    name: 'block asker',
    namespace: lab.network.namespace,
    argv: [
      ...[process.execPath, join(import.meta.dirname, 'block-asker.ts')],
      ...[address, '6881', infohash, String(rootPiece), String(rootPieces)],
    ],
    onOutput: (bytes) => {
      text += bytes.toString('latin1');
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('MET ')) met.push(Number(line.slice(4)));
        if (line.startsWith('GOT ')) got.push(Number(line.slice(4)));
      }
    },
  });
  // Also where nobody comes to ask for the gap, because the boot failed: a child that runs keeps its parent from ending.
  void machine.exited.then(() => asker.stop());
  return { met, got, stop: () => asker.stop() };
}

/** From the last block that a machine gave in stage-1, in seconds. */
export interface Gap {
  /** To the first block of the real system. */
  readonly seconds: number;
  /** To when the real system let a peer in. */
  readonly letInSeconds: number;
  /** To the agent's last word. */
  readonly handoffSeconds: number;
  /** From the agent's last word to the login prompt. */
  readonly bootSeconds: number;
}

export interface Watch {
  /** To be asked for when the machine has a login prompt; `timeline`: of its boot. Ends the watching. */
  gap(timeline: Timeline): Promise<Gap>;
}

/** Watches a machine that has been switched on, and that lingers in stage-1 so that it gives until the end of that. */
export async function watchGiving(lab: Lab, machine: Machine): Promise<Watch> {
  let handedOverAt = 0;
  machine.console.onLine(({ text }) => {
    if (/swarmboot: phase handoff: end ok/.test(text)) handedOverAt = Date.now();
  });
  const { met, got, stop } = await askForBlocks(lab, machine);
  return {
    gap: async (timeline) => {
      const loginAt = Date.now();
      await until('a block from the real system', FIRST_BLOCK_MS, async () =>
        got.some((time) => time > handedOverAt + JUMP_MS) ? true : undefined,
      ).finally(stop);
      const after = got.findIndex((time) => time > handedOverAt + JUMP_MS);
      assert.ok(after > 0, 'it gave blocks in stage-1 too');
      const last = got[after - 1]!;
      const letIn = met.find((time) => time > handedOverAt + JUMP_MS) ?? got[after]!;
      return {
        seconds: (got[after]! - last) / 1000,
        letInSeconds: (letIn - last) / 1000,
        handoffSeconds: (handedOverAt - last) / 1000,
        bootSeconds: timeline.phases.system ?? (loginAt - handedOverAt) / 1000,
      };
    },
  };
}

export const tellGap = (gap: Gap): string =>
  `Last block of stage-1 to first block of the real system: ${gap.seconds.toFixed(1)} s, to its first connection ` +
  `${gap.letInSeconds.toFixed(1)} s, to the end of the handoff ${gap.handoffSeconds.toFixed(1)} s; ` +
  `that system's own boot to its login prompt: ${gap.bootSeconds.toFixed(1)} s`;
