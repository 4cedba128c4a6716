/**
 * The last archive of stage-1's initrd: the key that manifests must be signed with, and nothing else.
 *
 * Everything in front of it is the same for all sites, so it can be built once and shipped; a site adds its key. It is
 * not compressed: it stands on a multiple of four bytes, where the kernel takes it as it is (buffer-format.rst).
 */
import { cpioPadding, withDirectories, writeCpio } from './cpio.ts';
import { BAKED_KEY_PATH } from './paths.ts';
import { parsePublicKey } from './signify.ts';

/**
 * Bytes to put behind an initrd of `initrdBytes` bytes. `publicKey` is the text of a signify key file.
 * Throws SignatureError unless it is one: a machine that booted with a damaged key would trust nothing.
 */
export function keyArchive(publicKey: string, initrdBytes: number): Buffer {
  parsePublicKey(publicKey);
  const path = BAKED_KEY_PATH.slice(1);
  const entry = { kind: 'file', path, mode: 0o644, bytes: Buffer.from(publicKey) } as const;
  return Buffer.concat([cpioPadding(initrdBytes), writeCpio(withDirectories([entry]), 0)]);
}
