/**
 * Draws the console: state in, exactly `rows` lines of at most `columns` characters out. Pure; a terminal is not needed
 * to read what it would show.
 *
 * Names and error texts come from the network: what is no printable ASCII is shown as `?`, so that no machine can send
 * a terminal sequence to an administrator, and every character is one column wide.
 */
import { PHASES } from '../../contract/telemetry.ts';
import { machineState } from './machine-state.ts';
import { choicesOf, type Model, type Row, rowsOf, type Screen } from './model.ts';
import type { MachineView, SiteView } from './site-view.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Line {
  readonly text: string;
  readonly color: 'red' | 'green' | 'yellow' | 'cyan' | undefined;
  readonly bold: boolean;
  /** The line that is pointed at. */
  readonly inverse: boolean;
}

export const SMALLEST: Size = { columns: 60, rows: 12 };

const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?');

const line = (text: string, style: Partial<Omit<Line, 'text'>> = {}): Line => ({
  ...{ text: printable(text), color: undefined, bold: false, inverse: false },
  ...style,
});

const cell = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}~` : text.padEnd(width);

export function bar(fraction: number | undefined, width: number): string {
  if (fraction === undefined || Number.isNaN(fraction)) return ' '.repeat(width);
  const full = Math.round(Math.max(0, Math.min(1, fraction)) * (width - 2));
  return `[${'#'.repeat(full)}${'.'.repeat(width - 2 - full)}]`;
}

const percent = (fraction: number | undefined): string =>
  fraction === undefined ? '' : `${Math.floor(fraction * 100)}%`;
const rate = (bytesPerSecond: number | undefined): string =>
  bytesPerSecond === undefined ? '' : `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const clock = (ms: number): string => {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
};

const MOODS = { busy: 'cyan', good: 'green', bad: 'red', idle: undefined } as const;

const imageOf = ({ image, once, reason }: MachineView): string =>
  image === undefined ? `waits: ${reason}` : once ? `${image} (once)` : image;

function rowLine(row: Row, view: SiteView, selected: boolean, columns: number): Line {
  if (row.kind === 'group') {
    const image = view.groups.find(({ name }) => name === row.group)?.image;
    const name = row.group === '' ? 'without a group' : row.group;
    const text = `${cell(`${name} (${row.count})`, 62)}${image ?? ''}`;
    return line(cell(text, columns), { bold: true, inverse: selected });
  }
  const { machine } = row;
  const state = machineState(machine, view.nowMs);
  const text = [
    `  ${cell(machine.name ?? machine.mac, 18)}`,
    cell(state.word, 13),
    bar(state.fraction, 12),
    percent(state.fraction).padStart(5),
    ` ${cell(rate(state.bytesPerSecond), 11)}`,
    imageOf(machine),
  ].join('');
  return line(cell(text, columns), { color: MOODS[state.mood], inverse: selected });
}

/** The part of `count` lines that shows `index`, `height` lines high. */
export function windowStart(index: number, count: number, height: number): number {
  return Math.max(0, Math.min(index - Math.floor(height / 2), count - height));
}

function listBody(model: Model, view: SiteView, { columns, rows: height }: Size): Line[] {
  const rows = rowsOf(model);
  const head = line(
    cell('  MACHINE           STATE        PROGRESS                     NEXT BOOT', columns),
    {
      bold: true,
    },
  );
  if (rows.length === 0) {
    return [
      head,
      line(''),
      line('  No machine is known yet. One appears here when it boots from the network,'),
      line('  or when it is entered: swarmboot machine add MAC --name NAME --group ROOM'),
    ];
  }
  const index = Math.max(
    0,
    rows.findIndex(({ id }) => id === model.cursor),
  );
  const start = windowStart(index, rows.length, height - 1);
  return [
    head,
    ...rows
      .slice(start, start + height - 1)
      .map((row, offset) => rowLine(row, view, start + offset === index, columns)),
  ];
}

function pickBody(
  model: Model,
  view: SiteView,
  screen: Extract<Screen, { kind: 'pick' }>,
  size: Size,
): Line[] {
  const title = screen.once
    ? `Next boot, and only that, of ${screen.whom}`
    : `Image of ${screen.whom}, from the next boot on`;
  const choices = choicesOf(model).map((name, index) => {
    const image = view.images.find((known) => known.name === name);
    const nothing = screen.once ? 'as usual' : 'none of its own: what is assigned more generally';
    const text = image ? `${cell(image.name, 30)} ${cell(image.version, 16)} ${image.arch}` : nothing;
    return line(cell(`    ${text}`, size.columns), { inverse: index === screen.cursor });
  });
  const start = windowStart(screen.cursor, choices.length, size.rows - 2);
  return [line(`  ${title}`, { bold: true }), line(''), ...choices.slice(start, start + size.rows - 2)];
}

function phaseLines({ live }: MachineView): Line[] {
  return PHASES.map((phase) => {
    const seconds = live?.phases[phase];
    const current = live?.phase === phase && live.handoff === null;
    const time = seconds === undefined ? '' : `${seconds.toFixed(1)} s`;
    const text = `    ${cell(phase, 10)} ${time.padStart(8)} ${current ? '<- now' : ''}`;
    return line(text, { color: current ? 'cyan' : seconds === undefined ? undefined : 'green' });
  });
}

function watchBody(machine: MachineView, view: SiteView, size: Size): Line[] {
  const { live } = machine;
  const state = machineState(machine, view.nowMs);
  const title = [machine.name, machine.mac, machine.group, live?.ip].filter((part) => part !== undefined);
  const lines: Line[] = [
    line(`  ${title.join('  ')}`, { bold: true }),
    line(`  ${state.word}; next boot: ${imageOf(machine)}`, { color: MOODS[state.mood] }),
    line(`  because of: ${machine.reason}`),
    ...phaseLines(machine),
  ];
  if (live?.progress) {
    const { release, bytes, total, peers } = live.progress;
    const { downloaded, uploaded } = live;
    lines.push(
      line(
        `  ${release}: ${bar(state.fraction, 30)} ${percent(state.fraction)} of ${mebibytes(total)} ${rate(state.bytesPerSecond)}`,
      ),
      line(
        `  ${mebibytes(bytes)} here, ${peers} peers; from peers ${mebibytes(downloaded.peers)}, seeder ${mebibytes(downloaded.seeder)}, ` +
          `webseed ${mebibytes(downloaded.webseed)}; given ${mebibytes(uploaded)}`,
      ),
    );
  }
  for (const { code, message } of live?.errors.slice(-2) ?? [])
    lines.push(line(`  ${code}: ${message}`, { color: 'red' }));
  const room = Math.max(0, size.rows - lines.length - 1);
  if (machine.boots.length > 0 && room > 0) {
    lines.push(line('  Last boots', { bold: true }));
    for (const boot of machine.boots.slice(0, room)) {
      const day = new Date(boot.startedMs).toISOString().slice(0, 10);
      const end = boot.outcome === undefined ? '' : `${boot.outcome}: ${boot.detail ?? ''}`;
      lines.push(line(`    ${day} ${clock(boot.startedMs)}  ${cell(boot.release ?? 'no image', 28)} ${end}`));
    }
  }
  return lines;
}

const KEYS: Readonly<Record<Screen['kind'], string>> = {
  list: 'up/down move  enter watch or fold  i image  n next boot only  q quit',
  pick: 'up/down move  enter take  esc back',
  watch: 'esc back',
};

function header(view: SiteView | undefined, columns: number): Line {
  if (view === undefined) return line('swarmboot: reading the database', { bold: true });
  const busy = view.machines.filter((machine) => machineState(machine, view.nowMs).mood === 'busy').length;
  const where = view.server.url ?? 'no server has run yet';
  const left = `swarmboot  ${where}  ${view.machines.length} machines, ${busy} booting`;
  const time = clock(view.nowMs);
  return line(`${cell(left, columns - time.length - 1)} ${time}`, { bold: true });
}

export function draw(model: Model, size: Size): Line[] {
  const { columns, rows } = size;
  const { view, screen } = model;
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) {
    const sentence = `The terminal has ${columns}x${rows}; the console needs ${SMALLEST.columns}x${SMALLEST.rows}. q quits`;
    return sentence
      .match(new RegExp(`.{1,${Math.max(1, columns)}}`, 'g'))!
      .slice(0, rows)
      .map((text) => line(text));
  }
  const inner: Size = { columns, rows: rows - 4 };
  const watched = screen.kind === 'watch' ? view?.machines.find(({ mac }) => mac === screen.mac) : undefined;
  const body =
    view === undefined
      ? []
      : screen.kind === 'pick'
        ? pickBody(model, view, screen, inner)
        : screen.kind === 'watch'
          ? watched
            ? watchBody(watched, view, inner)
            : [line('  This machine has been forgotten')]
          : listBody(model, view, inner);
  const shown = body.slice(0, inner.rows);
  const filled = [...shown, ...Array.from({ length: inner.rows - shown.length }, () => line(''))];
  const note = model.message !== '' ? model.message : (view?.server.problem ?? '');
  return [
    header(view, columns),
    ...filled,
    line('-'.repeat(columns)),
    line(note, { color: model.message === '' ? 'red' : 'yellow' }),
    line(KEYS[screen.kind]),
  ].map((drawn) => ({ ...drawn, text: drawn.text.slice(0, columns) }));
}
