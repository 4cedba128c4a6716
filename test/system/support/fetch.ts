/** `swarmboot-agent fetch` as a process of its own, from the sources. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type LineEvent, LineProcess } from '../../../bench/line-process.ts';

const MAIN = join(import.meta.dirname, '../../../agent/main.ts');

export interface FetchOptions {
  readonly manifestUrl: string;
  readonly keyFile: string;
  readonly directory: string;
  /** More arguments, as on the command line. */
  readonly more?: readonly string[];
  /** Runs inside this network namespace. */
  readonly namespace?: string;
}

export interface FetchResult {
  readonly exit: number | string;
  /** The last event: `summary`. */
  readonly summary: LineEvent;
  readonly events: readonly LineEvent[];
  readonly stderr: string;
}

export function startFetch(t: TestContext, options: FetchOptions): LineProcess {
  const command = [
    process.execPath,
    MAIN,
    'fetch',
    '--json',
    ...['--manifest', options.manifestUrl, '--key', options.keyFile, '--out', options.directory],
    // Nothing leaves this machine but into a namespace of the test.
    ...(options.namespace === undefined ? ['--no-lsd'] : []),
    ...(options.more ?? []),
  ];
  const argv =
    options.namespace === undefined ? command : ['ip', 'netns', 'exec', options.namespace, ...command];
  const child = new LineProcess('swarmboot-agent fetch', argv[0] as string, argv.slice(1));
  t.after(() => child.kill());
  return child;
}

/** Waits for the end of a fetch. Rejects if there is no summary, or no end within `timeoutMs`. */
export async function fetchResult(child: LineProcess, timeoutMs: number): Promise<FetchResult> {
  const timer = setTimeout(() => child.child.kill('SIGKILL'), timeoutMs);
  const exit = await child.ended;
  clearTimeout(timer);
  const summary = child.events.at(-1);
  if (summary?.event !== 'summary')
    throw new Error(`fetch ended with ${exit} and no summary: ${JSON.stringify(summary)} ${child.stderr}`);
  return { exit, summary, events: child.events, stderr: child.stderr };
}
