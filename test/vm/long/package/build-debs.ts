/** The Debian packages of this checkout in dist/deb, built once for all tests that want the same sources. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../../..');
export const DEBS = join(ROOT, 'dist/deb');
const STAMP = join(ROOT, '.cache/deb.stamp');
const BUILD_TIMEOUT_MS = 1_200_000;
/** What is tested is not how small the files are. */
export const DEB_BUILD_ENVIRONMENT = { DPKG_DEB_COMPRESSOR_LEVEL: '0' };

/** Rooms that are in the packages' source, not in the packages. */
const OUTSIDE = ['test/', 'qemu/', 'bench/', 'debian/tests/'];

/** Hash of every file that is in git or would be, and that can change a package. */
function sources(): string {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const hash = createHash('sha256');
  const inPackages = (name: string): boolean => name !== '' && !OUTSIDE.some((room) => name.startsWith(room));
  for (const path of list.split('\0').filter(inPackages)) {
    if (existsSync(join(ROOT, path))) hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  }
  return hash.digest('hex');
}

/** What the packages in `DEBS` are made of: another text, other packages. */
export const debsStamp = (): string => readFileSync(STAMP, 'utf8');

/** Builds them if need be; returns the paths of the .deb files. */
export function buildDebs(): string[] {
  const wanted = sources();
  const debs = () => globSync('*.deb', { cwd: DEBS }).map((name) => join(DEBS, name));
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted && debs().length > 0) return debs();
  execFileSync(join(ROOT, 'scripts/build-deb'), {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: BUILD_TIMEOUT_MS,
    maxBuffer: 64 * 2 ** 20,
    env: { ...process.env, ...DEB_BUILD_ENVIRONMENT },
  });
  writeFileSync(STAMP, wanted);
  return debs();
}
