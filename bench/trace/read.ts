/** A machine's trace (agent/trace.ts) from its text. Lines that were cut off by the machine's end are left out. */
import * as v from 'valibot';

const At = v.pipe(v.number(), v.finite());
const Index = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Peer = v.pipe(v.string(), v.maxLength(2048));

const Line = v.variant('event', [
  v.object({ event: v.literal('start'), at: At, hosts: v.array(Peer), port: Index, pieces: Index }),
  v.object({ event: v.literal('piece'), at: At, piece: Index, from: v.array(Peer) }),
  v.object({ event: v.picklist(['joined', 'left']), at: At, peer: Peer, reason: v.optional(v.string()) }),
  v.object({ event: v.literal('complete'), at: At }),
]);

export interface Trace {
  /** Usually the file's. */
  readonly name: string;
  readonly startedAt: number;
  readonly completedAt: number | undefined;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly pieces: number;
  /** In the order in which they came. */
  readonly gained: readonly {
    readonly at: number;
    readonly piece: number;
    readonly from: readonly string[];
  }[];
}

/** Throws if the text is no trace, and says where. */
export function readTrace(name: string, text: string): Trace {
  const lines = text.split('\n');
  const whole = lines.slice(0, -1); // what follows the last line break was cut off, or is nothing
  const events = whole.map((line, index) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new Error(`Cannot read trace "${name}": line ${index + 1} is no JSON`);
    }
    const parsed = v.safeParse(Line, value);
    if (!parsed.success)
      throw new Error(`Cannot read trace "${name}": line ${index + 1} is no event of a trace`);
    return parsed.output;
  });
  const [start] = events;
  if (start?.event !== 'start')
    throw new Error(`Cannot read trace "${name}": it does not begin with "start"`);
  return {
    name,
    startedAt: start.at,
    completedAt: events.find(({ event }) => event === 'complete')?.at,
    hosts: start.hosts,
    port: start.port,
    pieces: start.pieces,
    gained: events
      .filter((event) => event.event === 'piece')
      .map(({ at, piece, from }) => ({ at, piece, from })),
  };
}
