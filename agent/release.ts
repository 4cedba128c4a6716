/**
 * A release that may be used: its manifest was signed by the key we hold, and its metainfo is the one the manifest
 * means. Nothing here touches the network: the bytes come in, trust comes out.
 */
import {
  type Arch,
  checkManifest,
  type Manifest,
  ManifestError,
  parseManifest,
} from '../contract/manifest.ts';
import { type PublicKey, SignatureError, verifyBytes } from '../contract/signify.ts';
import { type Metainfo, MetainfoError, parseMetainfo } from '../torrent/index.ts';
import { BootError } from './boot-error.ts';

/** Name of a release: also of its torrent, and what telemetry calls it. */
export const releaseName = (manifest: Manifest): string => `${manifest.name}-${manifest.version}`;

/**
 * Checks the signature over exactly these bytes, and only then looks at what they say. `arch` undefined: the caller
 * does not run the image. Throws `BootError` with a code `signature-*` or `manifest-*`.
 */
export function trustManifest(
  bytes: Uint8Array,
  signature: string,
  key: PublicKey,
  machine: { readonly arch: Arch | undefined; readonly wallClockMs: number },
): Manifest {
  try {
    verifyBytes(key, bytes, signature);
    const manifest = parseManifest(bytes);
    // A clock that shows a time before the manifest was made is wrong, and says nothing about its expiry.
    const nowMs = machine.wallClockMs >= Date.parse(manifest.created) ? machine.wallClockMs : undefined;
    checkManifest(manifest, { arch: machine.arch ?? manifest.arch, nowMs });
    return manifest;
  } catch (error) {
    if (error instanceof SignatureError) {
      throw new BootError(`signature-${error.code}`, `Manifest refused: ${error.message}`, {
        hint: 'Sign the image with the key that this stage-1 was built with, or build stage-1 with the key of the image',
        retriable: 'brief',
      });
    }
    if (error instanceof ManifestError) {
      throw new BootError(`manifest-${error.code}`, `Manifest refused: ${error.message}`, {
        retriable: 'brief',
      });
    }
    throw error;
  }
}

/** Checks that a .torrent is the one the manifest names. Throws `BootError` with a code `metainfo-*`. */
export function trustMetainfo(bytes: Uint8Array, manifest: Manifest): Metainfo {
  let metainfo: Metainfo;
  try {
    metainfo = parseMetainfo(bytes);
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    throw new BootError(`metainfo-${error.code}`, `Metainfo refused: ${error.message}`, {
      retriable: 'brief',
    });
  }
  const refuse = (message: string): never => {
    throw new BootError('metainfo-mismatch', `Metainfo refused: ${message}`, {
      hint: 'Publish the image anew on the server',
      retriable: 'brief',
    });
  };
  const { infohashV1, infohashV2, pieceLength } = manifest.torrent;
  if (metainfo.infohashV1?.toString('hex') !== infohashV1) refuse('its v1 infohash is not the signed one');
  if (metainfo.infohashV2?.toString('hex') !== infohashV2) refuse('its v2 infohash is not the signed one');
  // The infohashes bind all that follows to the signature; a signer's own mistake is still worth a sentence here.
  if (metainfo.pieceLength !== pieceLength)
    refuse(`pieces of ${metainfo.pieceLength} bytes, not ${pieceLength}`);
  const files = metainfo.files.filter((file) => !file.pad);
  if (files.length !== manifest.files.length) refuse(`${files.length} files, not ${manifest.files.length}`);
  for (const { path, length } of manifest.files) {
    const file = files.find((candidate) => candidate.path === path);
    if (file?.length !== length) refuse(`"${path}" has ${file?.length ?? 'no'} bytes, not ${length}`);
  }
  return metainfo;
}
