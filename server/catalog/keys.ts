/** The key that signs manifests, as files that signify-openbsd(1) reads too. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import {
  formatPublicKey,
  formatSecretKey,
  generateKey,
  type PublicKey,
  parsePublicKey,
  parseSecretKey,
  type SecretKey,
} from '../../contract/signify.ts';
import { Failure, systemCode } from '../failure.ts';
import { publicKeyPath, secretKeyPath } from './layout.ts';

const COMMENT = 'swarmboot release';

/** Writes a file that appears whole or not at all; `mode` holds from its first moment. */
function writeWhole(path: string, text: string, mode: number, replace: boolean): void {
  if (!replace) {
    writeFileSync(path, text, { mode, flag: 'wx' });
    return;
  }
  const temporary = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(temporary, text, { mode, flag: 'wx' });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Makes release.sec (mode 0600) and release.pub in `config`, which is made if need be.
 * Throws `Failure` `key-exists` unless `force`: machines trust the key that is baked into their stage-1, so a new
 * key locks out every stage-1 that was built before.
 */
export function createKeyFiles(config: string, force: boolean): PublicKey {
  const key = generateKey(randomBytes);
  try {
    mkdirSync(config, { recursive: true });
    writeWhole(secretKeyPath(config), formatSecretKey(key, COMMENT), 0o600, force);
    writeWhole(publicKeyPath(config), formatPublicKey(key, COMMENT), 0o644, true);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      throw new Failure(
        'key-exists',
        `${secretKeyPath(config)} exists; a new key makes every stage-1 built so far refuse new releases. Add --force if that is what you want`,
      );
    }
    throw error;
  }
  return key;
}

function readKey<T>(path: string, parse: (text: string) => T): T {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = systemCode(cause) === 'ENOENT' ? 'does not exist' : (cause as Error).message;
    throw new Failure(
      'missing-key',
      `The release key ${path} ${reason}; make one with "swarmboot key generate", or name its folder with --config`,
      { cause },
    );
  }
  try {
    return parse(text);
  } catch (cause) {
    throw new Failure('missing-key', `The release key ${path} is unusable: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Throws `Failure` `missing-key`. */
export const loadSecretKey = (config: string): SecretKey => readKey(secretKeyPath(config), parseSecretKey);
/** Throws `Failure` `missing-key`. */
export const loadPublicKey = (config: string): PublicKey => readKey(publicKeyPath(config), parsePublicKey);
