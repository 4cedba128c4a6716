/**
 * Where things are on the boot server's disk; every other file asks here.
 *
 *   STATE/images/<name>/<version>/{manifest.json,manifest.json.sig,image.torrent}
 *   STATE/images/<name>/<version>/files/<name>-<version>/{vmlinuz,initrd.img,root.squashfs}
 *   STATE/images/<name>/current -> <version>
 *   STATE/stage1/<arch>/{vmlinuz,initrd.img}
 *   STATE/tftp/        iPXE's boot files, for dnsmasq
 *   CONFIG/release.{sec,pub}
 */
import { join } from 'node:path';
import { type Arch, NAME_PATTERN } from '../../contract/manifest.ts';
import { Failure } from '../failure.ts';

export const DEFAULT_STATE = '/var/lib/swarmboot';
export const DEFAULT_CONFIG = '/etc/swarmboot';
export const DEFAULT_CACHE = '/var/cache/swarmboot';
/** dnsmasq's file of `swarmboot setup`. */
export const DEFAULT_SNIPPET = '/etc/dnsmasq.d/swarmboot.conf';

export const MANIFEST_NAME = 'manifest.json';
export const SIGNATURE_NAME = 'manifest.json.sig';
export const CURRENT_LINK = 'current';

/** File names inside a release's torrent. */
export const RELEASE_FILES = { kernel: 'vmlinuz', initrd: 'initrd.img', root: 'root.squashfs' } as const;

export const imagesDirectory = (state: string): string => join(state, 'images');
export const imageDirectory = (state: string, name: string): string => join(state, 'images', name);
export const releaseDirectory = (state: string, name: string, version: string): string =>
  join(state, 'images', name, version);
export const stage1Directory = (state: string, arch: Arch): string => join(state, 'stage1', arch);
export const tftpDirectory = (state: string): string => join(state, 'tftp');
export const secretKeyPath = (config: string): string => join(config, 'release.sec');
export const publicKeyPath = (config: string): string => join(config, 'release.pub');

/** Name of the torrent, which is the folder that its files are in. */
export const torrentName = (name: string, version: string): string => `${name}-${version}`;

/** Words that stand beside names and versions in paths and URLs, and so can be neither. */
const RESERVED: readonly string[] = [CURRENT_LINK, 'files'];

/** Whether a string may name an image or a version: it becomes a path component here and in URLs. */
export const isName = (text: string): boolean => NAME_PATTERN.test(text) && !RESERVED.includes(text);

/** Returns `text`; throws `Failure` `bad-option` unless it may name an image. */
export function checkName(text: string, option: string): string {
  // 48, so that name and version together stay within the manifest's 64 in the torrent's name.
  if (isName(text) && text.length <= 48) return text;
  throw new Failure(
    'bad-option',
    `${option} "${text}" cannot be used: take 1 to 48 of a-z 0-9 . _ - beginning with a letter or digit, and not ${RESERVED.join(' or ')}`,
  );
}
