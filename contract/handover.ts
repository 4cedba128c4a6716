/**
 * What stage-1 leaves for the seeder of the real system, below /run/swarmboot/seed:
 *
 *   manifest.json, manifest.json.sig, image.torrent, release.pub   as stage-1 got them and verified them
 *   seed.json                                                      where the bytes lie, whom to tell (this schema)
 *   agent-offset                                                   only where the agent was brought along
 *
 * It travels as a cpio archive behind the image's own initrd; the boot script moves it to /run. Both ends may be of
 * different versions: the agent in the image is as old as the image.
 */
import * as v from 'valibot';

/** In the initramfs of the real system, without leading slash. */
export const HANDOVER_FOLDER = 'swarmboot/seed';
/** Where the boot script moves it to. */
export const HANDOVER_RUN_FOLDER = '/run/swarmboot/seed';
export const HANDOVER_NAME = 'seed.json';
export const HANDOVER_KEY_NAME = 'release.pub';
/** For the boot script: where in the device of the root image the agent's squashfs begins, if stage-1 brought it along. */
export const AGENT_OFFSET_NAME = 'agent-offset';
export const HANDOVER_LIMIT_BYTES = 64 * 1024;

const url = v.pipe(v.string(), v.maxLength(2000), v.regex(/^(https?|udp):\/\/[^\s]+$/));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

const schema = v.object({
  format: v.literal(1),
  /** Identity of the machine and of this boot, as telemetry has them. */
  mac: v.pipe(v.string(), v.regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/)),
  boot: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  /** Base URL of the boot server. */
  server: v.optional(url),
  trackers: v.pipe(v.array(url), v.maxLength(64)),
  port,
  /** Upload limit in MiB per second, 0 for none; absent: the seeder's own default. */
  rateMiB: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100_000))),
  /** Where the torrent's files are in the real system; what is not listed is not there. */
  files: v.pipe(
    v.array(
      v.object({
        /** In the torrent. */
        path: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
        /** Block device or file that holds it, and from which byte on. */
        source: v.pipe(v.string(), v.regex(/^\/[A-Za-z0-9._/-]{1,250}$/)),
        offset: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER)),
      }),
    ),
    v.maxLength(16),
  ),
});

export type Handover = v.InferOutput<typeof schema>;
export type HandoverFile = Handover['files'][number];

export const serializeHandover = (handover: Handover): string => `${JSON.stringify(handover, null, 1)}\n`;

/** Throws an Error that names the field. Fields that a newer stage-1 adds are ignored. */
export function parseHandover(text: string): Handover {
  if (text.length > HANDOVER_LIMIT_BYTES) throw new Error(`${HANDOVER_NAME} is longer than it may be`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${HANDOVER_NAME} is no JSON: ${(error as Error).message}`);
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new Error(`${HANDOVER_NAME}: ${v.getDotPath(issue) ?? 'it'}: ${issue.message}`);
}
