/** The options of `swarmboot-agent fetch`, parsed. */
import { parseArgs } from 'node:util';
import { type Endpoint, parseEndpoint } from '../contract/parameters.ts';

export interface FetchOptions {
  /** An http(s) URL or a path. */
  readonly manifest: string;
  readonly key: string;
  readonly out: string;
  readonly lingerSeconds: number;
  readonly peers: readonly Endpoint[];
  /** 0: any free one. */
  readonly listenPort: number;
  /** Find peers on the link by multicast. */
  readonly localDiscovery: boolean;
  readonly memoryLimitBytes: number | undefined;
  readonly deadlineSeconds: number;
  readonly json: boolean;
  /** File for a trace of the swarm, see trace.ts. */
  readonly trace: string | undefined;
}

/** What the caller wrote makes no sense; the message says what would. */
export class UsageError extends Error {
  readonly code = 'usage';
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

function number(
  name: string,
  value: string | undefined,
  minimum: number,
  maximum: number,
  otherwise: number,
): number {
  if (value === undefined) return otherwise;
  const parsed = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (parsed >= minimum && parsed <= maximum) return parsed;
  throw new UsageError(`--${name} takes a number from ${minimum} to ${maximum}, not "${value}"`);
}

function required(name: string, value: string | undefined): string {
  if (value) return value;
  throw new UsageError(`--${name} must be given`);
}

function endpoint(value: string): Endpoint {
  try {
    return parseEndpoint(value);
  } catch (error) {
    throw new UsageError(`--peer ${(error as Error).message}, not "${value}"`);
  }
}

/** Runs `parse` (a call of `parseArgs`) with its complaints as `UsageError`. */
export function strictly<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Throws `UsageError`. */
export function parseFetchOptions(args: string[]): FetchOptions {
  const { values } = strictly(() =>
    parseArgs({
      args,
      options: {
        manifest: { type: 'string' },
        key: { type: 'string' },
        out: { type: 'string' },
        linger: { type: 'string' },
        peer: { type: 'string', multiple: true },
        'listen-port': { type: 'string' },
        'memory-limit': { type: 'string' },
        deadline: { type: 'string' },
        'no-lsd': { type: 'boolean' },
        json: { type: 'boolean' },
        trace: { type: 'string' },
      },
    }),
  );
  const memoryLimit = number('memory-limit', values['memory-limit'], 16, 1024 * 1024, 0);
  return {
    manifest: required('manifest', values.manifest),
    key: required('key', values.key),
    out: required('out', values.out),
    lingerSeconds: number('linger', values.linger, 0, 999_999_999, 0),
    peers: (values.peer ?? []).map(endpoint),
    listenPort: number('listen-port', values['listen-port'], 0, 65535, 0),
    localDiscovery: !(values['no-lsd'] ?? false),
    memoryLimitBytes: memoryLimit === 0 ? undefined : memoryLimit * 1024 * 1024,
    deadlineSeconds: number('deadline', values.deadline, 1, 999_999, 600),
    json: values.json ?? false,
    trace: values.trace,
  };
}
