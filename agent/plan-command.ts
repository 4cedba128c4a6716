/** `swarmboot-agent plan`: the handoff plan of a machine that is described in files, as JSON. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { MANIFEST_LIMIT_BYTES, parseManifest } from '../contract/manifest.ts';
import { parseHandoff } from '../contract/parameters.ts';
import { strictly, UsageError } from './fetch-options.ts';
import { planHandoff } from './handoff/plan.ts';
import { parseMeminfo } from './handoff/probe.ts';

/** `type` is the kernel's (`System RAM`, ...), or `pmem` for what stage-1 would show as /dev/pmem0, pmem1, ... */
const memmapSchema = v.pipe(
  v.array(
    v.strictObject({
      start: v.pipe(v.number(), v.integer(), v.minValue(0)),
      end: v.pipe(v.number(), v.integer(), v.minValue(0)),
      type: v.string(),
    }),
  ),
  v.maxLength(4096),
);

function readBounded(path: string): Buffer {
  const bytes = readFileSync(path);
  if (bytes.length > MANIFEST_LIMIT_BYTES) throw new UsageError(`"${path}" is too large`);
  return bytes;
}

const hexBytes = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
    ? Buffer.from(value.data as number[]).toString('hex')
    : value;

export interface PlanAnswer {
  readonly ok: boolean;
  readonly json: string;
}

/** Throws `UsageError`, `ManifestError`, `BootError`, or what reading the files throws. */
export function runPlan(args: string[]): PlanAnswer {
  const { values } = strictly(() =>
    parseArgs({
      args,
      options: {
        meminfo: { type: 'string' },
        memmap: { type: 'string' },
        image: { type: 'string' },
        handoff: { type: 'string', default: 'auto' },
      },
    }),
  );
  const { meminfo, memmap, image, handoff } = values;
  if (meminfo === undefined || memmap === undefined || image === undefined) {
    throw new UsageError('--meminfo, --memmap and --image must be given');
  }
  const ranges = v.parse(memmapSchema, JSON.parse(readBounded(memmap).toString('utf8')));
  const result = planHandoff({
    ...parseMeminfo(readBounded(meminfo).toString('latin1')),
    firmwareMap: ranges.filter((range) => range.type !== 'pmem'),
    pmem: ranges
      .filter((range) => range.type === 'pmem')
      .map(({ start, end }, index) => ({ device: `/dev/pmem${index}`, start, lengthBytes: end - start + 1 })),
    manifest: parseManifest(readBounded(image)),
    forced: strictly(() => parseHandoff(handoff)),
    excluded: [],
  });
  return { ok: 'plan' in result, json: JSON.stringify(result, hexBytes, 2) };
}
