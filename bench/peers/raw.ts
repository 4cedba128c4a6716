/** The bounds that no BitTorrent client passes: a plain socket, or HTTP, with the same hashes and the same file. */
import { join } from 'node:path';
import type { LaunchClient } from './client.ts';
import { launchLineClient } from './line-client.ts';

const script = join(import.meta.dirname, 'raw-process.ts');

export const launchRaw: LaunchClient = (options) =>
  launchLineClient('raw', process.execPath, [script, 'raw'], options);
export const launchHttp: LaunchClient = (options) =>
  launchLineClient('http', process.execPath, [script, 'http'], options);
