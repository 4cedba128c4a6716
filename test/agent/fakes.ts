/** A machine, a console and a telemetry writer that tests hold in their hand. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Console } from '../../agent/console-writer.ts';
import type { Machine, RunOptions, RunResult } from '../../agent/machine.ts';
import type { PhaseContext, Surroundings } from '../../agent/phases/runner.ts';
import type { Telemetry } from '../../agent/telemetry.ts';
import type { TelemetryAnswer, TelemetryDraft } from '../../contract/telemetry.ts';

interface Timer {
  readonly atMs: number;
  readonly resolve: () => void;
}

export type Program = (args: readonly string[], options: RunOptions) => RunResult | Promise<RunResult>;

export const succeeded: RunResult = { status: 0, output: '' };

/** Real IO of this process: sockets of an HTTP exchange, files being read and written. */
const IO = /^(?:TCPSocketWrap|ConnectWrap|SimpleShutdownWrap|GetAddrInfoReqWrap|FSReq\w+|CloseReq)$/;
/** IO that takes longer than this in real time hangs by intent: virtual time goes on. */
const IO_LIMIT_MS = 10_000;

/**
 * Time is virtual: when nothing else is under way the clock jumps to the next timer. With `realIo` it also waits for
 * files and for HTTP on loopback to come to rest before each jump, so that a busy computer changes no outcome.
 */
export class FakeMachine implements Machine {
  readonly root: string;
  readonly calls: string[][] = [];
  readonly programs = new Map<string, Program>();
  /** Added to every wall clock. */
  wallOffsetMs = Date.parse('2026-02-15T00:00:00Z');
  #nowMs = 0;
  #timers: Timer[] = [];
  #pumping = false;
  #stopped = false;
  readonly #realIo: boolean;

  constructor(root: string, realIo: boolean) {
    this.root = root;
    this.#realIo = realIo;
  }

  loadKernel: Machine['loadKernel'] = undefined;
  now = (): number => this.#nowMs;
  wallClockMs = (): number => this.wallOffsetMs + this.#nowMs;
  random = (): number => 0.5;
  randomBytes = (length: number): Buffer => Buffer.alloc(length, 0xab);

  sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted) {
      reject(signal.reason);
      return promise;
    }
    if (this.#stopped) return promise;
    const timer = { atMs: this.#nowMs + ms, resolve };
    this.#timers.push(timer);
    signal?.addEventListener(
      'abort',
      () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(signal.reason);
      },
      { once: true },
    );
    void this.#pump();
    return promise;
  };

  run = async (command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
    this.calls.push([command, ...args]);
    const program = this.programs.get(command);
    return program ? program(args, options) : succeeded;
  };

  /** Ends time: who sleeps, sleeps for ever. */
  stop(): void {
    this.#stopped = true;
    this.#timers = [];
  }

  /** The calls of one program, as words joined by spaces. */
  callsOf(command: string): string[] {
    return this.calls.filter(([name]) => name === command).map((call) => call.slice(1).join(' '));
  }

  file(path: string, text: string): void {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  link(path: string, target: string): void {
    mkdirSync(join(this.root, target), { recursive: true });
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    symlinkSync(join(this.root, target), join(this.root, path));
  }

  async #settle(): Promise<void> {
    const limitMs = performance.now() + IO_LIMIT_MS;
    for (let quiet = 0; quiet < 8; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      const busy = this.#realIo && process.getActiveResourcesInfo().some((name) => IO.test(name));
      if (!busy || performance.now() > limitMs) continue;
      await new Promise((resolve) => setTimeout(resolve, 1));
      quiet = 0;
    }
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#timers.length > 0) {
      await this.#settle();
      this.#timers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#timers.shift();
      if (!next) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.resolve();
    }
    this.#pumping = false;
  }
}

/** A machine with an empty file system that goes away with the test. */
export function fakeMachine(context: TestContext, realIo = false): FakeMachine {
  const root = mkdtempSync(join(tmpdir(), 'swarmboot-agent-'));
  const machine = new FakeMachine(root, realIo);
  context.after(() => {
    machine.stop();
    rmSync(root, { recursive: true, force: true });
  });
  return machine;
}

export class FakeConsole implements Console {
  readonly lines: string[] = [];
  line = (text: string): void => void this.lines.push(text);
  close = (): void => {};
  /** The first line that fits. */
  find = (pattern: RegExp): string | undefined => this.lines.find((line) => pattern.test(line));
}

export class FakeTelemetry implements Telemetry {
  readonly boot = '00000000000000ab';
  readonly sent: TelemetryDraft[] = [];
  /** Answers to `ask`, one after another; then silence. */
  answers: (TelemetryAnswer | undefined)[] = [];
  mac: string | undefined;
  send = (draft: TelemetryDraft): void => void this.sent.push(draft);
  identify = (mac: string): void => {
    this.mac = mac;
  };
  ask = async (draft: TelemetryDraft): Promise<TelemetryAnswer | undefined> => {
    this.sent.push(draft);
    return this.answers.shift();
  };
  flush = async (): Promise<void> => {};
}

export interface Fakes extends Surroundings {
  readonly machine: FakeMachine;
  readonly console: FakeConsole;
  readonly telemetry: FakeTelemetry;
}

export const fakes = (context: TestContext, realIo = false): Fakes => ({
  machine: fakeMachine(context, realIo),
  console: new FakeConsole(),
  telemetry: new FakeTelemetry(),
});

/** What `runPhase` gives the body of a phase, without a phase around it. */
export function phaseContext(around: Fakes, limitMs = 60_000): PhaseContext & { waits: string[] } {
  const waits: string[] = [];
  return {
    ...around,
    waits,
    signal: new AbortController().signal,
    deadlineMs: around.machine.now() + limitMs,
    note: (sentence) => around.console.line(`swarmboot: note ${sentence}`),
    awaiting: (what) => {
      if (what !== undefined && waits.at(-1) !== what) waits.push(what);
    },
  };
}
