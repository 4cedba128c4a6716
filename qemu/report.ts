/** The demo's report: JSON that other programs read (its first fields are a contract) and a table for people. Pure. */
import type { Status } from './status.ts';
import { formatMiB, formatSeconds, renderTable } from './table.ts';
import type { Timeline } from './timeline.ts';

/** What the demo knows of one machine at its end. */
export interface MachineOutcome {
  readonly name: string;
  readonly mac: string;
  readonly timeline: Timeline;
  /** Seconds from power-on to the real system's login prompt. */
  readonly loginSeconds: number | undefined;
  /** The demo user logged in, and the system was what it should be. */
  readonly ok: boolean;
  /** `uname -r` of the real system. */
  readonly kernelRelease: string | undefined;
  /** Why not ok. */
  readonly failure: string | undefined;
}

export interface ReportClient {
  readonly mac: string;
  readonly name: string;
  readonly phases: Readonly<Record<string, number>>;
  readonly handoff: string | null;
  readonly loginSeconds: number | null;
  readonly ok: boolean;
  readonly kernelRelease: string | null;
  readonly downloaded: { readonly peers: number; readonly seeder: number; readonly webseed: number };
  readonly uploaded: number;
  readonly hashFailures: number;
  /** Of the agent. */
  readonly peakRssBytes: number | null;
  /** Of the whole machine until the handoff: its RAM less the least that was available. */
  readonly memoryPeakBytes: number | null;
  readonly failure: string | null;
}

export interface Report {
  readonly clients: readonly ReportClient[];
  readonly server: {
    readonly stage1Bytes: number;
    readonly payloadBytes: number;
    readonly imageBytes: number;
  };
  /** Bytes of the image that machines got from other machines, all together. */
  readonly peerBytes: number;
  readonly accelerator: string;
  readonly firmware: string;
}

const milliseconds = (seconds: number) => Math.round(seconds * 1000) / 1000;

export function makeReport(
  outcomes: readonly MachineOutcome[],
  status: Status,
  run: { readonly image: string; readonly accelerator: string; readonly firmware: string },
): Report {
  const clients = outcomes.map((outcome): ReportClient => {
    const told = status.machines.find((machine) => machine.mac === outcome.mac);
    return {
      mac: outcome.mac,
      name: outcome.name,
      phases: Object.fromEntries(
        Object.entries(outcome.timeline.phases).map(([phase, seconds]) => [phase, milliseconds(seconds)]),
      ),
      handoff: outcome.timeline.handoff ?? told?.handoff ?? null,
      loginSeconds: outcome.loginSeconds === undefined ? null : milliseconds(outcome.loginSeconds),
      ok: outcome.ok,
      kernelRelease: outcome.kernelRelease ?? null,
      downloaded: told?.downloaded ?? { peers: 0, seeder: 0, webseed: 0 },
      uploaded: told?.uploaded ?? 0,
      hashFailures: told?.hashFailures ?? 0,
      peakRssBytes: told?.peakRssBytes ?? null,
      memoryPeakBytes: told?.memoryPeakBytes ?? null,
      failure: outcome.failure ?? null,
    };
  });
  return {
    clients,
    server: {
      ...status.server,
      imageBytes: status.images.find((image) => image.name === run.image)?.imageBytes ?? 0,
    },
    peerBytes: clients.reduce((sum, client) => sum + client.downloaded.peers, 0),
    accelerator: run.accelerator,
    firmware: run.firmware,
  };
}

/** Names of all phases that any machine went through, in the order of the boot. */
const phaseNames = (report: Report): string[] => [
  ...new Set(report.clients.flatMap((client) => Object.keys(client.phases))),
];

/** Renders the report for people: one column for each machine, then what the server sent. */
export function renderReport(report: Report): string {
  const { clients, server } = report;
  const row = (title: string, cell: (client: ReportClient) => string) => [title, ...clients.map(cell)];
  const times = [
    row('seconds in phase', (client) => client.name),
    ...phaseNames(report).map((phase) => row(phase, ({ phases }) => phases[phase]?.toFixed(1) ?? '-')),
    row('power-on to login', ({ loginSeconds }) => loginSeconds?.toFixed(1) ?? 'never'),
  ];
  const facts = [
    row('image bytes', (client) => client.name),
    row('from other machines', ({ downloaded }) => formatMiB(downloaded.peers)),
    row('from the server, BitTorrent', ({ downloaded }) => formatMiB(downloaded.seeder)),
    row('from the server, HTTP', ({ downloaded }) => formatMiB(downloaded.webseed)),
    row('given to other machines', ({ uploaded }) => formatMiB(uploaded)),
    row('machine peak memory', ({ memoryPeakBytes }) =>
      memoryPeakBytes === null ? '-' : formatMiB(memoryPeakBytes),
    ),
    row('agent peak RSS', ({ peakRssBytes }) => (peakRssBytes === null ? '-' : formatMiB(peakRssBytes))),
    row('handoff', ({ handoff }) => handoff ?? '-'),
    row('kernel', ({ kernelRelease }) => kernelRelease ?? '-'),
    row('result', ({ ok }) => (ok ? 'logged in' : 'FAILED')),
  ];
  const numbers = new Set(clients.map((_, index) => index + 1));
  const copies =
    server.imageBytes > 0 ? ` (${(server.payloadBytes / server.imageBytes).toFixed(2)} images)` : '';
  const lines = [
    renderTable(times, numbers),
    '',
    renderTable(facts, numbers),
    '',
    `Image: ${formatMiB(server.imageBytes)}. The server sent ${formatMiB(server.stage1Bytes)} as stage-1 and ` +
      `${formatMiB(server.payloadBytes)}${copies} as payload; machines gave each other ${formatMiB(report.peerBytes)}.`,
  ];
  for (const client of clients)
    if (client.failure) lines.push('', `${client.name} failed: ${client.failure}`);
  const logins = clients.flatMap(({ loginSeconds }) => loginSeconds ?? []);
  if (clients.every(({ ok }) => ok) && logins.length > 0)
    lines.push(
      '',
      `${clients.length} of ${clients.length} machines reached the login of the real system, the last ` +
        `${formatSeconds(Math.max(...logins))} after its power-on (${report.accelerator.toUpperCase()}, ${report.firmware}).`,
    );
  return lines.join('\n');
}
