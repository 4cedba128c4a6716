/**
 * What the seeder of the real system needs, put behind the initrd that kexec gets: the kernel unpacks one archive after
 * the other. To be called when the initrd is complete and nobody has it open for writing.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { cpioPadding, withDirectories, writeCpio } from '../../contract/cpio.ts';
import {
  AGENT_OFFSET_NAME,
  HANDOVER_FOLDER,
  HANDOVER_KEY_NAME,
  HANDOVER_NAME,
  type Handover,
  serializeHandover,
} from '../../contract/handover.ts';
import { METAINFO_NAME, SIGNATURE_SUFFIX } from '../../contract/paths.ts';

/** As they came from the server, verified since. */
export interface SignedFiles {
  readonly manifest: Uint8Array;
  readonly signature: string;
  readonly metainfo: Uint8Array;
}

export const MANIFEST_NAME = 'manifest.json';

/** The archive, dated 1970. `key`: text of the public key; `agentOffset`: where the agent's squashfs is, for the boot script. */
export function stateArchive(
  handover: Handover,
  signed: SignedFiles,
  key: string,
  agentOffset?: number,
): Buffer {
  const files: Readonly<Record<string, Uint8Array>> = {
    [HANDOVER_NAME]: Buffer.from(serializeHandover(handover)),
    [HANDOVER_KEY_NAME]: Buffer.from(key),
    [MANIFEST_NAME]: signed.manifest,
    [`${MANIFEST_NAME}${SIGNATURE_SUFFIX}`]: Buffer.from(signed.signature, 'latin1'),
    [METAINFO_NAME]: signed.metainfo,
    ...(agentOffset === undefined ? {} : { [AGENT_OFFSET_NAME]: Buffer.from(`${agentOffset}\n`) }),
  };
  const entries = Object.entries(files).map(([name, bytes]) => ({
    kind: 'file' as const,
    path: `${HANDOVER_FOLDER}/${name}`,
    mode: 0o644,
    bytes,
  }));
  return writeCpio(withDirectories(entries), 0);
}

/** Writes `archive` into the room for it; throws where it is too long. */
export async function insertArchive(
  path: string,
  archive: Uint8Array,
  room: { readonly offset: number; readonly lengthBytes: number },
): Promise<void> {
  if (archive.length > room.lengthBytes)
    throw new Error(`what it needs to know has ${archive.length} bytes, the room for it ${room.lengthBytes}`);
  const file = await open(path, 'r+');
  try {
    await file.write(archive, 0, archive.length, room.offset);
  } finally {
    await file.close();
  }
}

/** Appends `archive` to the file at `path`, on the 4-byte boundary that the kernel looks at. */
export async function appendArchive(path: string, archive: Uint8Array): Promise<void> {
  const file = await open(path, 'a');
  try {
    const { size } = await file.stat();
    await file.appendFile(Buffer.concat([cpioPadding(size), archive]));
  } finally {
    await file.close();
  }
}

const COPY_BYTES = 1024 * 1024;

/** Copies a file (or the first `length` bytes of it) to `offset` of a device, and waits until it is there. */
export async function copyToDevice(
  from: { readonly path: string; readonly length: number },
  to: { readonly device: string; readonly offset: number },
  signal: AbortSignal,
): Promise<void> {
  const opened: FileHandle[] = [];
  try {
    const source = await open(from.path, 'r');
    opened.push(source);
    const target = await open(to.device, 'r+');
    opened.push(target);
    const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, from.length));
    for (let done = 0; done < from.length; ) {
      signal.throwIfAborted();
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, from.length - done), done);
      if (bytesRead === 0) throw new Error(`${from.path} ends at byte ${done}, not ${from.length}`);
      await target.write(buffer, 0, bytesRead, to.offset + done);
      done += bytesRead;
    }
    await target.datasync();
  } finally {
    for (const file of opened) await file.close();
  }
}
