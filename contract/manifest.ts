/**
 * The signed description of one release of an image.
 *
 * Invariant: a `Manifest` value exists only after `parseManifest` has checked every field, so that the code
 * behind it never range-checks again. Parsing is not trusting: the caller verifies the signature over the very
 * bytes it hands in (see signify.ts) before it acts on the result.
 */
import * as v from 'valibot';

/** Largest manifest that is read from the network, in bytes. */
export const MANIFEST_LIMIT_BYTES = 256 * 1024;

/** Largest image file, in bytes (16 GiB): above it is taken for an attack or a mistake. */
export const FILE_LIMIT_BYTES = 16 * 1024 ** 3;

/** What a file of the release is for. The root is a squashfs; kernel and initrd go to kexec. */
export const FILE_ROLES = ['kernel', 'initrd', 'root'] as const;
export type FileRole = (typeof FILE_ROLES)[number];

/** How a root image can outlive the kexec, the one that needs the least RAM first; see docs/handoff.md. */
export const STRATEGIES = ['pmem', 'retain', 'cpio'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** Whether a kernel of this release (`uname -r`) can do strategy `retain`: Linux 6.8 and later show their initrd. */
export function kernelRetainsInitrd(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return major > 6 || (major === 6 && minor >= 8);
}

/** Debian's architecture names that swarmboot knows. */
export const ARCHES = ['amd64', 'arm64'] as const;
export type Arch = (typeof ARCHES)[number];

const hex = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `must be ${bytes} bytes as lower-case hex`),
  );
const length = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(FILE_LIMIT_BYTES));
const timestamp = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'must be a time like 2026-01-31T12:00:00Z'),
);
/** Names become URL and file path components, so they are held to a set that needs no quoting anywhere. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const name = v.pipe(
  v.string(),
  v.regex(NAME_PATTERN, 'must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit'),
);

const fileSchema = v.strictObject({
  /** Path inside the torrent: a plain file name. */
  path: name,
  role: v.picklist(FILE_ROLES),
  length,
  sha256: hex(32),
});

const manifestSchema = v.strictObject({
  format: v.literal(1),
  name,
  version: name,
  arch: v.picklist(ARCHES),
  created: timestamp,
  expires: timestamp,
  torrent: v.strictObject({
    infohashV1: hex(20),
    infohashV2: hex(32),
    pieceLength: v.pipe(v.number(), v.integer(), v.minValue(16384), v.maxValue(16 * 1024 ** 2)),
  }),
  files: v.pipe(v.array(fileSchema), v.minLength(2), v.maxLength(8)),
  /**
   * The dm-verity tree behind the squashfs in the root file, from block `dataBlocks` on: blocks of 4096 bytes, SHA-256, no
   * salt, no superblock (admin-guide/device-mapper/verity.rst of Linux). Missing: the image cannot be sealed.
   */
  verity: v.exactOptional(
    v.strictObject({
      rootHash: hex(32),
      dataBlocks: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(FILE_LIMIT_BYTES / 4096)),
    }),
  ),
  /** Kernel command line of the real system, without the parameters that the handoff adds. Printable ASCII. */
  cmdline: v.pipe(v.string(), v.maxLength(1024), v.regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')),
  /** Kernel release of the image, `uname -r`. */
  kernelRelease: v.pipe(v.string(), v.regex(/^[0-9][A-Za-z0-9.+~_-]{0,63}$/, 'must be a kernel release')),
  /** Strategies that the image's initrd supports, best first. */
  strategies: v.pipe(v.array(v.picklist(STRATEGIES)), v.minLength(1), v.maxLength(4)),
  /** RAM that a machine needs to run the image, image included, in bytes. */
  minimumMemoryBytes: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(0),
    v.maxValue(1024 ** 4),
    // JSON has a -0, which is not what JSON.stringify writes of it.
    v.transform((bytes) => bytes + 0),
  ),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
export type ManifestFile = v.InferOutput<typeof fileSchema>;

/** Why a manifest was refused: a code to test, a sentence for people. */
export class ManifestError extends Error {
  readonly code: 'malformed' | 'wrong-arch' | 'expired';
  constructor(code: ManifestError['code'], message: string) {
    super(message);
    this.name = 'ManifestError';
    this.code = code;
  }
}

/** Parses the bytes of a manifest.json. Throws `ManifestError` with code `malformed`. */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > MANIFEST_LIMIT_BYTES) {
    throw new ManifestError(
      'malformed',
      `Manifest has ${bytes.length} bytes, more than the ${MANIFEST_LIMIT_BYTES} allowed`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ManifestError('malformed', `Manifest is not JSON: ${(cause as Error).message}`);
  }
  const result = v.safeParse(manifestSchema, json);
  if (!result.success) {
    const issue = result.issues[0];
    throw new ManifestError('malformed', `Manifest field "${v.getDotPath(issue) ?? ''}": ${issue.message}`);
  }
  const manifest = result.output;
  for (const role of FILE_ROLES) {
    const count = manifest.files.filter((file) => file.role === role).length;
    if (count !== 1)
      throw new ManifestError('malformed', `Manifest names ${count} files of role "${role}", not one`);
  }
  if (new Set(manifest.files.map((file) => file.path)).size !== manifest.files.length) {
    throw new ManifestError('malformed', 'Manifest names a file path twice');
  }
  return manifest;
}

/** The bytes that are signed and served: stable key order as given, two spaces, a final newline. */
export function serializeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(v.parse(manifestSchema, manifest), null, 2)}\n`);
}

/** The one file of that role. */
export function fileOfRole(manifest: Manifest, role: FileRole): ManifestFile {
  const file = manifest.files.find((candidate) => candidate.role === role);
  if (!file) throw new ManifestError('malformed', `Manifest names no file of role "${role}"`);
  return file;
}

/**
 * Refuses a manifest that this machine must not boot. `nowMs` is the wall clock in milliseconds since the epoch,
 * or undefined where the machine's clock is not to be trusted (a dead CMOS battery shows a time before the
 * manifest was made; refusing to boot for it would help nobody).
 */
export function checkManifest(manifest: Manifest, machine: { arch: Arch; nowMs: number | undefined }): void {
  if (manifest.arch !== machine.arch) {
    throw new ManifestError(
      'wrong-arch',
      `Image "${manifest.name}" is for ${manifest.arch}, this machine is ${machine.arch}`,
    );
  }
  if (machine.nowMs !== undefined && machine.nowMs > Date.parse(manifest.expires)) {
    throw new ManifestError(
      'expired',
      `Image "${manifest.name}" ${manifest.version} expired at ${manifest.expires}; publish it anew on the server`,
    );
  }
}
