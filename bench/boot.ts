/**
 * The least RAM with which a machine reaches the login of a real Debian from a squashfs of a given size, for each way of
 * handing it over; how many times the image is in RAM afterwards, and how long it took.
 *
 *   pmem, retain, cpio  stage-1 fetches the image and hands it over by that strategy. cpio is what netboot systems that
 *                       kexec do today: the squashfs inside the kexec initrd.
 *   initrd              no stage-1: the boot loader loads kernel and an initrd with the squashfs in it, as it is done
 *                       where iPXE fetches everything. The squashfs is there twice while the kernel unpacks it.
 *
 * Each trial is a machine that the server has never seen, started past firmware and iPXE by QEMU, which puts kernel and
 * initrd where a boot loader would.
 */
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { appendFile, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withDirectories, writeCpio } from '../contract/cpio.ts';
import { fileOfRole, parseManifest } from '../contract/manifest.ts';
import { type Accelerator, chooseAccelerator } from '../qemu/accel.ts';
import { bootToLogin } from '../qemu/boot-to-login.ts';
import { parseAgentLine } from '../qemu/console-lines.ts';
import { withLab } from '../qemu/lab.ts';
import { logIn, waitForLogin } from '../qemu/login.ts';
import type { Machine } from '../qemu/machine.ts';
import { machineMac } from '../qemu/network-plan.ts';
import { searchSmallest } from './boot/search.ts';
import { describeHost, thisHost } from './host.ts';
import { formatRows, number } from './table.ts';

const MIB = 2 ** 20;
const ROOT = join(import.meta.dirname, '..');
const LAB = join(ROOT, '.cache/lab');
const IMAGE = 'boot-bench';
const CREDENTIALS = { user: 'demo', password: 'demo' };
/** kexec hashes everything twice where the image travels in its initrd. */
const LOGIN_MS = 20 * 60_000;
const STEP_MS = 60_000;
const ENGINES = ['pmem', 'retain', 'cpio', 'initrd'] as const;
type Engine = (typeof ENGINES)[number];

const USAGE = `Usage: scripts/bench boot [--size MiB=400] [--engines ${ENGINES.join(',')}] [--least MiB] [--most MiB]
                          [--step MiB=32] [--json FILE]
  --size   of the squashfs
  --least  nothing smaller is tried (size + 192)
  --most   tried first; an engine that fails with it has no result (4 times the size + 512)`;

/** What one boot came to. */
interface Outcome {
  readonly ok: boolean;
  readonly seconds: number | undefined;
  /** RAM of the machine that is not available to programs after the login, in bytes. */
  readonly heldBytes: number | undefined;
  readonly failure: string | undefined;
  /** What stage-1 said about its memory, and what went wrong. */
  readonly said: readonly string[];
}

/** Sentences of the agent about its memory, and its errors. */
const saidOf = (machine: Machine): string[] =>
  machine.console.lines.flatMap(({ text }) => {
    const line = parseAgentLine(text);
    const told = line?.kind === 'error' || (line?.kind === 'note' && line.text.startsWith('memory: '));
    return told ? [line.text] : [];
  });

interface Image {
  readonly state: string;
  readonly payload: string;
  readonly rootBytes: number;
  readonly cmdline: string;
}

/** The lab's demo image, its squashfs filled up to the size with bytes that do not compress. */
function makeImage(sizeMiB: number): Image {
  const state = join(ROOT, '.cache/bench-boot/state');
  const demo = join(LAB, 'state/images/demo/current');
  const payloadOf = (current: string): string => {
    const { name, version } = parseManifest(readFileSync(join(current, 'manifest.json')));
    return join(current, 'files', `${name}-${version}`);
  };
  const work = join(ROOT, '.cache/bench-boot/work');
  rmSync(join(ROOT, '.cache/bench-boot'), { recursive: true, force: true });
  mkdirSync(join(work, 'ballast'), { recursive: true });
  mkdirSync(state, { recursive: true });
  symlinkSync(join(LAB, 'state/stage1'), join(state, 'stage1'));
  const root = join(work, 'root.squashfs');
  copyFileSync(join(payloadOf(demo), 'root.squashfs'), root);
  const missing = sizeMiB * MIB - statSync(root).size;
  if (missing < 0) throw new Error(`--size must be ${Math.ceil(statSync(root).size / MIB)} at least`);
  if (missing > MIB)
    writeFileSync(join(work, 'ballast/ballast'), randomFillSync(Buffer.alloc(missing - MIB / 2)));
  execFileSync('mksquashfs', [join(work, 'ballast'), root, '-quiet', '-no-progress', '-comp', 'zstd'], {
    stdio: 'pipe',
    timeout: 300_000,
  });
  execFileSync(
    join(ROOT, 'bin/swarmboot'),
    [
      ...['image', 'import', '--name', IMAGE, '--state', state, '--config', join(LAB, 'config')],
      ...['--kernel', join(payloadOf(demo), 'vmlinuz'), '--initrd', join(payloadOf(demo), 'initrd.img')],
      ...['--root', root],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 },
  );
  rmSync(work, { recursive: true });
  const current = join(state, 'images', IMAGE, 'current');
  const manifest = parseManifest(readFileSync(join(current, 'manifest.json')));
  return {
    state,
    payload: payloadOf(current),
    rootBytes: fileOfRole(manifest, 'root').length,
    cmdline: manifest.cmdline,
  };
}

/** RAM that programs cannot have, asked of the shell behind `from`. */
async function heldBytes(machine: Machine, from: number, memoryMiB: number): Promise<number> {
  machine.send('t=swb; sed "s/^/$t-/" /proc/meminfo; echo "$t-end"\r');
  const { match } = await machine.expect(/^swb-MemAvailable:\s+(\d+) kB$[\s\S]*^swb-end$/m, {
    from,
    timeoutMs: STEP_MS,
  });
  return memoryMiB * MIB - Number(match[1]) * 1024;
}

const laboratory = (image: Image, accelerator: Accelerator, memoryMiB: number) => ({
  ...{ machines: 1, accelerator, state: image.state, config: join(LAB, 'config'), image: IMAGE },
  memoryMiB,
});

/** Through stage-1, with the command line that the server has for a machine that it does not know. */
function bootByStage1(
  image: Image,
  accelerator: Accelerator,
  engine: Engine,
  memoryMiB: number,
): Promise<Outcome> {
  const mac = machineMac(0);
  return withLab(laboratory(image, accelerator, memoryMiB), async (lab) => {
    const script = await lab.server.get(`/ipxe?mac=${mac}&arch=x86_64&platform=pcbios`);
    const parameters = /^kernel \S+ (.*?)(?: \|\| .*)?$/m.exec(script)?.[1] ?? '';
    const cmdline = parameters
      .replace(/\binitrd=\S+ ?/, '')
      .replaceAll(/\$\{mac:hexhyp\}/g, mac.replaceAll(':', '-'))
      // Only pmem needs the region; to the others it would be RAM that they lack.
      .replaceAll(/ memmap=\S+/g, (text) => (engine === 'pmem' ? text : ''));
    const stage1 = join(image.state, 'stage1/amd64');
    const machine = lab.powerOn(0, {
      direct: {
        kernel: join(stage1, 'vmlinuz'),
        initrd: join(stage1, 'initrd.img'),
        cmdline: `${cmdline} console=ttyS0,115200 swarmboot.handoff=${engine} swarmboot.linger=0 swarmboot.reboot=3`,
      },
    });
    const outcome = await bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: LOGIN_MS });
    return {
      ok: outcome.ok,
      seconds: outcome.loginSeconds,
      heldBytes: outcome.ok ? await heldBytes(machine, 0, memoryMiB) : undefined,
      failure: outcome.failure,
      said: saidOf(machine),
    };
  });
}

/** The image's own kernel with everything in its initrd. */
async function bootByInitrd(image: Image, accelerator: Accelerator, memoryMiB: number): Promise<Outcome> {
  const initrd = join(image.state, 'all.img');
  if (!existsSync(initrd)) {
    await copyFile(join(image.payload, 'initrd.img'), initrd);
    await appendFile(initrd, Buffer.alloc((4 - (statSync(initrd).size % 4)) % 4));
    const bytes = readFileSync(join(image.payload, 'root.squashfs'));
    await appendFile(
      initrd,
      writeCpio(withDirectories([{ kind: 'file', path: 'swarmboot/root.squashfs', mode: 0o444, bytes }]), 0),
    );
  }
  return withLab(laboratory(image, accelerator, memoryMiB), async (lab) => {
    const cmdline = `${image.cmdline} boot=swarmboot swarmboot.root=file:/swarmboot/root.squashfs root=tmpfs panic=1`;
    const machine = lab.powerOn(0, { direct: { kernel: join(image.payload, 'vmlinuz'), initrd, cmdline } });
    try {
      const prompt = await waitForLogin(machine, 0, LOGIN_MS);
      const shell = await logIn(machine, prompt, CREDENTIALS, STEP_MS);
      return {
        ok: true,
        seconds: prompt.seconds,
        heldBytes: await heldBytes(machine, shell, memoryMiB),
        failure: undefined,
        said: [],
      };
    } catch (error) {
      return {
        ok: false,
        seconds: undefined,
        heldBytes: undefined,
        failure: (error as Error).message,
        said: [],
      };
    }
  });
}

interface Run {
  readonly engine: Engine;
  readonly sizeBytes: number;
  /** The least that reached the login; null if none did. */
  readonly smallestMemoryBytes: number | null;
  readonly trials: readonly {
    readonly memoryMiB: number;
    readonly ok: boolean;
    readonly failure?: string;
    readonly said: readonly string[];
  }[];
  /** Of the boot with the least RAM: from power-on to login, past firmware and iPXE. */
  readonly seconds: number | null;
  /** RAM that programs cannot have after the login, system and image. */
  readonly heldBytes: number | null;
  /** The same as multiples of the image, rounded down: whole copies that could be in it. */
  readonly imageCopies: number | null;
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} takes MiB, not "${text}"`);
  return Number(text);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '400' },
      engines: { type: 'string', default: ENGINES.join(',') },
      least: { type: 'string' },
      most: { type: 'string' },
      step: { type: 'string', default: '32' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const size = wholeNumber('size', values.size);
  const engines = values.engines.split(',').map((name) => {
    const engine = ENGINES.find((candidate) => candidate === name);
    if (!engine) throw new Error(`--engines takes ${ENGINES.join(', ')}, not "${name}"`);
    return engine;
  });
  const range = {
    leastMiB: wholeNumber('least', values.least ?? String(size + 192)),
    mostMiB: wholeNumber('most', values.most ?? String(4 * size + 512)),
    stepMiB: wholeNumber('step', values.step),
  };
  const image = makeImage(size);
  const { accelerator, reason } = await chooseAccelerator('auto', join(image.payload, 'vmlinuz'));
  console.error(`Machines run under ${accelerator.toUpperCase()}: ${reason}`);
  const runs: Run[] = [];
  for (const engine of engines) {
    const outcomes = new Map<number, Outcome>();
    const { smallestMiB, trials } = await searchSmallest(range, async (memoryMiB) => {
      const outcome = await (engine === 'initrd'
        ? bootByInitrd(image, accelerator, memoryMiB)
        : bootByStage1(image, accelerator, engine, memoryMiB));
      outcomes.set(memoryMiB, outcome);
      const word = outcome.ok
        ? `login after ${number(outcome.seconds, 1)} s`
        : outcome.failure?.split('\n')[0];
      console.error([`${engine} with ${memoryMiB} MiB: ${word}`, ...outcome.said].join('\n  '));
      return outcome.ok;
    });
    const best = smallestMiB === undefined ? undefined : outcomes.get(smallestMiB);
    const held = best?.heldBytes;
    runs.push({
      engine,
      sizeBytes: image.rootBytes,
      smallestMemoryBytes: smallestMiB === undefined ? null : smallestMiB * MIB,
      trials: trials.map((trial) => {
        const outcome = outcomes.get(trial.memoryMiB);
        const failure = outcome?.failure?.split('\n')[0];
        return { ...trial, ...(failure === undefined ? {} : { failure }), said: outcome?.said ?? [] };
      }),
      seconds: best?.seconds ?? null,
      heldBytes: held ?? null,
      imageCopies: held === undefined ? null : Math.floor(held / image.rootBytes),
    });
  }
  const mib = (bytes: number | null): string => number(bytes === null ? undefined : bytes / MIB, 0);
  console.log(`A squashfs of ${mib(image.rootBytes)} MiB; ${describeHost(thisHost())}, ${accelerator}`);
  console.log(
    formatRows<Run>(
      [
        { head: 'handoff', cell: ({ engine }) => engine },
        { head: 'smallest RAM, MiB', cell: ({ smallestMemoryBytes }) => mib(smallestMemoryBytes) },
        { head: 'held after login, MiB', cell: ({ heldBytes }) => mib(heldBytes) },
        { head: 'copies', cell: ({ imageCopies }) => number(imageCopies ?? undefined, 0) },
        { head: 'seconds to login', cell: ({ seconds }) => number(seconds ?? undefined, 1) },
        {
          head: 'trials',
          cell: ({ trials }) =>
            trials.map(({ memoryMiB, ok }) => `${memoryMiB}${ok ? '' : ' no'}`).join(', '),
        },
      ],
      runs,
    ),
  );
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ host: thisHost(), accelerator, runs }, null, 2)}\n`);
  if (runs.some(({ smallestMemoryBytes }) => smallestMemoryBytes === null)) process.exitCode = 1;
}

await main();
