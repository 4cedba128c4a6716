/** Phase manifest: the signed description of the image and its metainfo, over HTTP. Nothing unsigned goes further. */
import { type Arch, MANIFEST_LIMIT_BYTES, type Manifest } from '../../contract/manifest.ts';
import { METAINFO_LIMIT_BYTES, metainfoUrl, signatureUrl } from '../../contract/paths.ts';
import { type PublicKey, SIGNATURE_LIMIT_BYTES } from '../../contract/signify.ts';
import type { Metainfo } from '../../torrent/index.ts';
import { BootError, type Retriable } from '../boot-error.ts';
import type { SignedFiles } from '../handoff/leave-state.ts';
import { HttpError, httpExchange } from '../http-get.ts';
import { releaseName, trustManifest, trustMetainfo } from '../release.ts';
import { retry } from '../retry.ts';
import type { Outcome, PhaseContext } from './runner.ts';

export interface Release {
  readonly manifest: Manifest;
  readonly metainfo: Metainfo;
  /** What both were read from, for whoever comes after us. */
  readonly signed: SignedFiles;
}

/** For one file, in milliseconds. */
const FETCH_TIMEOUT_MS = 15_000;
const BACKOFF = { firstMs: 500, maximumMs: 10_000 };

async function get(
  url: string,
  limitBytes: number,
  code: string,
  signal: AbortSignal,
  hint?: string,
): Promise<Buffer> {
  try {
    return await httpExchange(url, { limitBytes, timeoutMs: FETCH_TIMEOUT_MS, signal });
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    // A manifest that is not there may come yet; a 404 beside one that is there is a publish in progress at most.
    const brief = error.code === 'too-large' || (error.status === 404 && code !== 'manifest');
    const retriable: Retriable = brief ? 'brief' : 'yes';
    throw new BootError(error.status === 404 ? `${code}-missing` : `${code}-unreachable`, error.message, {
      ...(hint === undefined ? {} : { hint }),
      retriable,
    });
  }
}

/** Fetches and checks a release once. Throws `BootError`. */
export async function fetchRelease(
  manifestUrl: string,
  key: PublicKey,
  machine: { readonly arch: Arch | undefined; readonly wallClockMs: number },
  signal: AbortSignal,
): Promise<Release> {
  const bytes = await get(
    manifestUrl,
    MANIFEST_LIMIT_BYTES,
    'manifest',
    signal,
    'Check that the boot server runs and that swarmboot.manifest= names an image it has',
  );
  const signature = await get(
    signatureUrl(manifestUrl),
    SIGNATURE_LIMIT_BYTES,
    'signature',
    signal,
    'An image without a signature is never booted: sign and publish it on the server',
  );
  const signed = { manifest: bytes, signature: signature.toString('latin1') };
  const manifest = trustManifest(bytes, signed.signature, key, machine);
  const torrent = await get(metainfoUrl(manifestUrl), METAINFO_LIMIT_BYTES, 'metainfo', signal);
  return { manifest, metainfo: trustMetainfo(torrent, manifest), signed: { ...signed, metainfo: torrent } };
}

export interface ManifestOptions {
  readonly manifestUrl: string;
  readonly key: PublicKey;
  readonly arch: Arch;
}

export function manifestPhase(context: PhaseContext, options: ManifestOptions): Promise<Outcome<Release>> {
  const { machine, signal } = context;
  return retry(
    machine,
    {
      backoff: BACKOFF,
      untilMs: context.deadlineMs,
      signal,
      onFailure: (error, nextInMs) =>
        context.note(`${error.message}; next try in ${(nextInMs / 1000).toFixed(1)} s`),
    },
    async () => {
      context.awaiting(`the signed manifest from ${options.manifestUrl}`);
      const clock = { arch: options.arch, wallClockMs: machine.wallClockMs() };
      const release = await fetchRelease(options.manifestUrl, options.key, clock, signal);
      context.awaiting(undefined);
      const { manifest, metainfo } = release;
      const bytes = manifest.files.reduce((sum, file) => sum + file.length, 0);
      return {
        value: release,
        detail: `${releaseName(manifest)}, signed, ${bytes} bytes in ${metainfo.pieceCount} pieces`,
      };
    },
  );
}
