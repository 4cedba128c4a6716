/** Starts the real server on ports of the system's choice, with a small release, and stops it after the tests. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { pino } from 'pino';
import type { Published } from '../../server/catalog/publish.ts';
import type { Status } from '../../server/machines/status.ts';
import { type RunningServer, type ServeOptions, serve } from '../../server/serve.ts';
import { noise, publishSmall } from './published-image.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const STAGE1_KERNEL = noise(3_000_000, 4);

export interface ServerUnderTest {
  readonly folder: string;
  readonly server: RunningServer;
  readonly published: Published;
  /** Without a final slash. */
  readonly url: string;
  /** What was logged, as JSON. */
  readonly log: readonly { readonly level: number; readonly msg: string }[];
}

export async function startServer(options: Partial<ServeOptions> = {}): Promise<ServerUnderTest> {
  const folder = temporaryFolder('server');
  const published = await publishSmall(folder);
  const stage1 = join(folder, 'state/stage1/amd64');
  mkdirSync(stage1, { recursive: true });
  writeFileSync(join(stage1, 'vmlinuz'), STAGE1_KERNEL);
  writeFileSync(join(stage1, 'initrd.img'), 'initramfs');
  const log: { level: number; msg: string }[] = [];
  const server = await serve({
    ...{ host: '127.0.0.1', httpPort: 0, seederPort: 0, image: undefined, publicUrl: undefined },
    state: join(folder, 'state'),
    config: join(folder, 'config'),
    uploadBytesPerSecond: undefined,
    append: ['console=ttyS0,115200'],
    seed: true,
    log: pino({}, { write: (line: string) => log.push(JSON.parse(line)) }),
    ...options,
  });
  after(() => server.close());
  return { folder, server, published, url: `http://127.0.0.1:${server.httpPort}`, log };
}

/** GET /status. */
export async function statusOf(url: string): Promise<Status> {
  return (await (await fetch(`${url}/status`)).json()) as Status;
}
