/** Machines that boot while the server gives, and machines that boot when only the first ones give. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../contract/manifest.ts';
import { bootToLogin } from '../../qemu/boot-to-login.ts';
import type { Lab } from '../../qemu/lab.ts';
import type { Machine } from '../../qemu/machine.ts';
import { Program } from '../../qemu/program.ts';
import type { Status } from '../../qemu/status.ts';
import { parseMetainfo } from '../../torrent/index.ts';
import { CREDENTIALS, IMAGE, STATE, startStage1 } from './prepare.ts';

export interface Waves {
  /** Machines that boot first, so many at a time, and machines that boot from them, all at once. */
  readonly first: number;
  readonly atOnce: number;
  readonly second: number;
  readonly loginTimeoutMs: number;
}

const SEEDING_TIMEOUT_MS = 240_000;
/** Reports come every five seconds. */
const REPORT_MS = 6000;
/** From the agent's last word to the end of its kernel: what comes later comes from the real system. */
const JUMP_MS = 2000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const release = join(STATE, 'images', IMAGE, 'current');

/** The numbers that all must agree on. */
function imageFacts() {
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

/** Asks machine `machine` for blocks all the time; the result grows. */
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
  return { met, got, stop: () => asker.stop() };
}

async function until<T>(what: string, timeoutMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs / 1000} s in vain: ${what}`);
    await pause(1000);
  }
}

/** Every machine of `macs` says that it seeds everything. */
export const allSeed = (lab: Lab, macs: readonly string[]): Promise<Status> =>
  until(`${macs.join(', ')} seed the whole image`, SEEDING_TIMEOUT_MS, async () => {
    const status = await lab.status();
    const seeding = macs.map((mac) => status.machines.find((machine) => machine.mac === mac)?.seeding);
    return seeding.every((state) => state && state.pieceCount > 0 && state.pieces === state.pieceCount)
      ? status
      : undefined;
  });

/** What `swarmboot-seed status` says to somebody who is logged in, and what the service takes. */
async function statusOnConsole(machine: Machine): Promise<string> {
  const figures = [
    'NRestarts',
    'MemoryCurrent',
    'MemoryPeak',
    'CPUUsageNSec',
    'ExecMainStartTimestampMonotonic',
  ];
  const show = `systemctl show swarmboot-seed -p ${figures.join(' -p ')}`;
  machine.send(
    `swarmboot-seed status; ${show}; cat /proc/uptime; head -3 /proc/meminfo; t=swb; echo "$t-told="\r`,
  );
  const { match } = await machine.expect(/^seeding {2}[\s\S]*^swb-told=/m, { timeoutMs: 60_000 });
  assert.match(match[0], /^damaged {2}none/m);
  assert.match(match[0], /^NRestarts=0$/m, 'its first start was the good one');
  return match[0].replace(/^swb-told=/m, '').trim();
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** From the last block that a machine gave in stage-1, in seconds. */
interface Gap {
  /** To the first block of the real system. */
  readonly seconds: number;
  /** To when the real system let a peer in. */
  readonly letInSeconds: number;
  /** To the agent's last word. */
  readonly handoffSeconds: number;
  /** From the agent's last word to the login prompt. */
  readonly bootSeconds: number;
}

export async function bootInWaves(lab: Lab, waves: Waves): Promise<void> {
  const { imageBytes, kernelRelease } = imageFacts();
  const boot = async (index: number, more: string) => {
    const machine = await startStage1(lab, index, more);
    const outcome = bootToLogin(machine, {
      ...{ credentials: CREDENTIALS, timeoutMs: waves.loginTimeoutMs, kernelRelease },
    });
    return { machine, outcome };
  };
  const macs: string[] = [];
  let watched: Machine | undefined;
  let gap: Gap | undefined;
  for (let begun = 0; begun < waves.first; begun += waves.atOnce) {
    const group = Array.from({ length: Math.min(waves.atOnce, waves.first - begun) }, (_, n) => begun + n);
    await Promise.all(
      group.map(async (index) => {
        // The first is watched: it lingers, so that it gives until the very end of stage-1.
        const { machine, outcome } = await boot(index, index === 0 ? 'swarmboot.linger=12' : '');
        const answers = index === 0 ? await askForBlocks(lab, machine) : undefined;
        let handedOverAt = 0;
        machine.console.onLine(({ text }) => {
          if (/swarmboot: phase handoff: end ok/.test(text)) handedOverAt = Date.now();
        });
        const { ok, failure, timeline, facts } = await outcome;
        const loginAt = Date.now();
        assert.ok(ok, `${machine.name}: ${failure}`);
        assert.equal(timeline.handoff, 'pmem');
        assert.equal(facts?.squashfsSource, '/dev/pmem0');
        macs.push(machine.mac);
        if (!answers) return;
        watched = machine;
        const { met, got } = answers;
        await until('a block from the real system', SEEDING_TIMEOUT_MS, async () =>
          got.some((time) => time > handedOverAt + JUMP_MS) ? true : undefined,
        );
        await answers.stop();
        const after = got.findIndex((time) => time > handedOverAt + JUMP_MS);
        assert.ok(after > 0, 'it gave blocks in stage-1 too');
        const last = got[after - 1]!;
        const letIn = met.find((time) => time > handedOverAt + JUMP_MS) ?? got[after]!;
        gap = {
          seconds: (got[after]! - last) / 1000,
          letInSeconds: (letIn - last) / 1000,
          handoffSeconds: (handedOverAt - last) / 1000,
          bootSeconds: timeline.phases.system ?? (loginAt - handedOverAt) / 1000,
        };
      }),
    );
  }
  assert.ok(gap);
  console.log(
    `Last block of stage-1 to first block of the real system: ${gap.seconds.toFixed(1)} s, to its first connection ` +
      `${gap.letInSeconds.toFixed(1)} s, to the end of the handoff ${gap.handoffSeconds.toFixed(1)} s; ` +
      `that system's own boot to its login prompt: ${gap.bootSeconds.toFixed(1)} s`,
  );
  await allSeed(lab, macs);
  assert.ok(watched);
  console.log(await statusOnConsole(watched));

  // From here on the server gives no byte of an image: its counters begin at 0 and must stay there.
  await lab.server.stopHttp();
  await lab.server.startHttp(20_000, ['--no-seed']);
  const before = await allSeed(lab, macs);
  const given = (status: Status): number =>
    sum(status.machines.filter(({ mac }) => macs.includes(mac)).map(({ seeding }) => seeding?.uploaded ?? 0));
  const second = await Promise.all(Array.from({ length: waves.second }, (_, n) => boot(waves.first + n, '')));
  const outcomes = await Promise.all(second.map(({ outcome }) => outcome));
  for (const { name, ok, failure } of outcomes) assert.ok(ok, `${name}: ${failure}`);
  await pause(REPORT_MS);
  const status = await lab.status();
  assert.equal(status.server.payloadBytes, 0, 'the server gave nothing of the image');
  const late = status.machines.filter(({ mac }) => second.some(({ machine }) => machine.mac === mac));
  assert.equal(late.length, waves.second);
  for (const { mac, downloaded, hashFailures } of late) {
    const { peers, seeder, webseed } = downloaded;
    assert.deepEqual([seeder, webseed], [0, 0], `${mac} got something from the server`);
    assert.ok(peers >= imageBytes, `${mac} tells of ${peers} bytes, less than the image`);
    assert.equal(hashFailures, 0);
  }
  const booted = given(status) - given(before);
  const exchanged = sum(late.map(({ uploaded }) => uploaded));
  const received = sum(late.map(({ downloaded }) => downloaded.peers));
  console.log(
    `Second wave: ${received} bytes received, ${booted} of them from machines that run the real system, ` +
      `${exchanged} exchanged among themselves, 0 from the server`,
  );
  assert.ok(booted >= imageBytes, 'a whole image came from the real systems');
  // What is on the way when a connection ends counts with the sender only.
  assert.ok(booted + exchanged >= received, 'what they received is what these machines gave');
}
