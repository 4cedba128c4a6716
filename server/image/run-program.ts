/** Runs a program of the distribution with a deadline; its output is a file of the reader's, not of the heap. */
import { spawn } from 'node:child_process';
import { Failure, systemCode } from '../failure.ts';

export interface ProgramOptions {
  /** Longest run in milliseconds; then the program and its children are killed. */
  readonly timeoutMs: number;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Each line of standard error as it comes, for progress. */
  readonly onLine?: (line: string) => void;
  /** Debian package that brings the program, for the message when it is missing. */
  readonly debianPackage?: string;
  /** Most bytes of standard output that are kept; more is a failure. Default 16 MiB. */
  readonly outputLimitBytes?: number;
}

const TAIL_LINES = 12;

/**
 * Runs `program` and returns its standard output.
 * Throws `Failure`: `missing-program`, `timeout`, or `program-failed` with the last lines it wrote.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Buffer> {
  const limit = options.outputLimitBytes ?? 16 * 1024 * 1024;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const tail: string[] = [];
  let partial = '';
  // Its own process group, so that a deadline also ends the children (apt below mmdebstrap).
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let ended: 'timeout' | 'aborted' | 'overflow' | undefined;
  const kill = (why: NonNullable<typeof ended>) => {
    ended ??= why;
    if (child.pid !== undefined) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // it has just ended by itself
      }
    }
  };
  const timer = setTimeout(() => kill('timeout'), options.timeoutMs);
  const onAbort = () => kill('aborted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();

  child.stdin.on('error', () => {}); // a program that does not read its input is its own affair
  child.stdin.end(options.input ?? '');
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) return kill('overflow');
    chunks.push(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (partial + text).slice(-65536).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      options.onLine?.(line);
    }
  });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (ended === 'aborted') throw options.signal?.reason ?? new Failure('timeout', `${program} was stopped`);
    if (ended === 'timeout') {
      throw new Failure(
        'timeout',
        `${program} took longer than ${Math.round(options.timeoutMs / 1000)} seconds and was stopped`,
      );
    }
    if (ended === 'overflow')
      throw new Failure('program-failed', `${program} wrote more than ${limit} bytes`);
    if (status !== 0) {
      if (partial) tail.push(partial);
      throw new Failure(
        'program-failed',
        `${program} failed with status ${status}:\n${tail.map((line) => `  ${line}`).join('\n')}`,
      );
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new Failure(
        'missing-program',
        `${program} is not installed; apt-get install ${options.debianPackage ?? program}`,
      );
    }
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}
