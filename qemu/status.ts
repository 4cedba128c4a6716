/**
 * What the lab reads of the boot server's `/status`. Lenient on purpose: a field that is missing or of another type
 * reads as 0 or undefined, and the report then shows that nothing was told. Pure.
 */
export interface StatusMachine {
  readonly mac: string;
  readonly handoff: string | undefined;
  readonly downloaded: { readonly peers: number; readonly seeder: number; readonly webseed: number };
  readonly uploaded: number;
  readonly hashFailures: number;
  readonly peakRssBytes: number | undefined;
  readonly memoryPeakBytes: number | undefined;
  /** What its real system says of its seeding; undefined before its first word. */
  readonly seeding:
    | {
        readonly pieces: number;
        readonly pieceCount: number;
        readonly uploaded: number;
        readonly withdrawn: number;
      }
    | undefined;
}

export interface Status {
  readonly machines: readonly StatusMachine[];
  readonly server: { readonly stage1Bytes: number; readonly payloadBytes: number };
  readonly images: readonly { readonly name: string; readonly imageBytes: number }[];
}

type Fields = Record<string, unknown>;
const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function seedingOf(value: unknown): StatusMachine['seeding'] {
  if (typeof value !== 'object' || value === null) return undefined;
  const { pieces, pieceCount, uploaded, withdrawn } = fields(value);
  return {
    pieces: number(pieces),
    pieceCount: number(pieceCount),
    uploaded: number(uploaded),
    withdrawn: number(withdrawn),
  };
}

/** Parses the body of `/status`; throws if it is not JSON. */
export function parseStatus(body: string): Status {
  const status = fields(JSON.parse(body));
  const server = fields(status.server);
  return {
    machines: list(status.machines).map((item) => {
      const machine = fields(item);
      const downloaded = fields(machine.downloaded);
      return {
        mac: text(machine.mac) ?? '',
        handoff: text(machine.handoff),
        downloaded: {
          peers: number(downloaded.peers),
          seeder: number(downloaded.seeder),
          webseed: number(downloaded.webseed),
        },
        uploaded: number(machine.uploaded),
        hashFailures: number(machine.hashFailures),
        peakRssBytes: typeof machine.peakRssBytes === 'number' ? machine.peakRssBytes : undefined,
        memoryPeakBytes: typeof machine.memoryPeakBytes === 'number' ? machine.memoryPeakBytes : undefined,
        seeding: seedingOf(machine.seeding),
      };
    }),
    server: { stage1Bytes: number(server.stage1Bytes), payloadBytes: number(server.payloadBytes) },
    images: list(server.images).map((item) => {
      const image = fields(item);
      return { name: text(image.name) ?? '', imageBytes: number(image.imageBytes) };
    }),
  };
}
