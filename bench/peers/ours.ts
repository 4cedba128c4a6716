/** Our own engine, torrent/index.ts, as a plain process. */
import { join } from 'node:path';
import type { LaunchClient } from './client.ts';
import { launchLineClient } from './line-client.ts';

export const launchOurs: LaunchClient = (options) =>
  launchLineClient('ours', process.execPath, [join(import.meta.dirname, 'ours-process.ts')], options);
