/** libtorrent through Debian's python3-libtorrent. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { LaunchClient } from './client.ts';
import { launchLineClient } from './line-client.ts';

/** Debian's Python, whose modules apt installs; another one on the PATH would not find them. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = join(import.meta.dirname, 'libtorrent_peer.py');
/** Longest that making a torrent may take, in milliseconds. */
const CREATE_TIMEOUT_MS = 60_000;

export const launchLibtorrent: LaunchClient = (options) =>
  launchLineClient('libtorrent', PYTHON, [SCRIPT], options);

export interface CreateByLibtorrent {
  /** File or folder; its name becomes that of the torrent. */
  readonly source: string;
  readonly target: string;
  readonly kind: 'v1' | 'v2' | 'hybrid';
  readonly pieceLength: number;
  readonly announce: readonly string[];
}

/** Makes a torrent with libtorrent's own code. */
export function createByLibtorrent(options: CreateByLibtorrent): void {
  execFileSync(PYTHON, [SCRIPT, '--create', JSON.stringify(options)], { timeout: CREATE_TIMEOUT_MS });
}
