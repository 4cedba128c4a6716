/**
 * The console's state and what each event does to it: event in, state and actions out. Pure.
 *
 *   list   --enter--> watch (a machine)      --escape--> list
 *   list   --i, n, u--> pick (machine, room) --enter, escape--> list
 *   any    --q--> quit
 *
 * Invariant: the cursor is the identity of a row, not its number: when machines come and go it stays on its machine.
 */
import { describeTarget, type Target } from '../assignments/assignment.ts';
import type { Action, MachineView, SiteView } from './site-view.ts';

export type Key =
  | 'up'
  | 'down'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'left'
  | 'right'
  | 'enter'
  | 'escape'
  /** A character. */
  | { readonly text: string };

export type Event =
  | { readonly kind: 'key'; readonly key: Key }
  | { readonly kind: 'data'; readonly view: SiteView }
  /** Something was done, or failed: a sentence. */
  | { readonly kind: 'said'; readonly sentence: string };

export type Screen =
  | { readonly kind: 'list' }
  | { readonly kind: 'watch'; readonly mac: string }
  | {
      readonly kind: 'pick';
      readonly target: Target;
      /** For sentences: `pc01`, `group lab1`. */
      readonly whom: string;
      readonly macs: readonly string[];
      /** For the next boot only. */
      readonly once: boolean;
      /** Number of the choice; the last one takes the assignment back. */
      readonly cursor: number;
    };

export interface Model {
  /** undefined until the first data have come. */
  readonly view: SiteView | undefined;
  readonly screen: Screen;
  /** Id of the row that is pointed at. */
  readonly cursor: string;
  /** Groups that show no machines. */
  readonly folded: readonly string[];
  readonly message: string;
  readonly quit: boolean;
}

export const EMPTY: Model = {
  ...{ view: undefined, screen: { kind: 'list' }, cursor: '', folded: [], message: '', quit: false },
};

export type Row =
  | { readonly kind: 'group'; readonly id: string; readonly group: string; readonly count: number }
  | { readonly kind: 'machine'; readonly id: string; readonly machine: MachineView };

/** What the list shows: each group with its machines behind it, those without a group last. */
export function rowsOf({ view, folded }: Pick<Model, 'view' | 'folded'>): Row[] {
  if (view === undefined) return [];
  const rows: Row[] = [];
  const byGroup = Map.groupBy(view.machines, ({ group }) => group ?? '');
  for (const group of [...view.groups.map(({ name }) => name), '']) {
    const machines = byGroup.get(group) ?? [];
    if (group === '' && machines.length === 0) continue;
    rows.push({ kind: 'group', id: `group ${group}`, group, count: machines.length });
    if (folded.includes(group)) continue;
    for (const machine of machines) rows.push({ kind: 'machine', id: machine.mac, machine });
  }
  return rows;
}

/** What can be picked: the images, and undefined for "nothing of its own". */
export const choicesOf = ({ view }: Pick<Model, 'view'>): (string | undefined)[] => [
  ...(view?.images.map(({ name }) => name) ?? []),
  undefined,
];

interface Next {
  readonly model: Model;
  readonly actions: readonly Action[];
}

const PAGE_ROWS = 15;

/** Where a key moves a cursor among `count` things; undefined if it is no such key. */
function moved(key: Key, index: number, count: number): number | undefined {
  const to =
    key === 'up' || isText(key, 'k')
      ? index - 1
      : key === 'down' || isText(key, 'j')
        ? index + 1
        : key === 'pageUp'
          ? index - PAGE_ROWS
          : key === 'pageDown'
            ? index + PAGE_ROWS
            : key === 'home'
              ? 0
              : key === 'end'
                ? count - 1
                : undefined;
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}

const isText = (key: Key, text: string): boolean => typeof key === 'object' && key.text === text;

/** What the row is, as something that images are assigned to. */
function pickFor(row: Row, model: Model, once: boolean): Screen | undefined {
  if (row.kind === 'machine') {
    const { mac, name } = row.machine;
    const target = { scope: 'machine', key: mac } as const;
    return { kind: 'pick', target, whom: name ?? mac, macs: [mac], once, cursor: 0 };
  }
  const macs = (model.view?.machines ?? [])
    .filter(({ group }) => (group ?? '') === row.group)
    .map(({ mac }) => mac);
  // Machines without a group are what the default is for.
  const target: Target =
    row.group === '' ? { scope: 'default', key: '' } : { scope: 'group', key: row.group };
  return { kind: 'pick', target, whom: describeTarget(target), macs, once, cursor: 0 };
}

function listKey(model: Model, key: Key): Next {
  const rows = rowsOf(model);
  const index = Math.max(
    0,
    rows.findIndex(({ id }) => id === model.cursor),
  );
  const row = rows[index];
  const stay = (changes: Partial<Model>): Next => ({
    model: { ...model, message: '', ...changes },
    actions: [],
  });
  const to = moved(key, index, rows.length);
  if (to !== undefined) return stay({ cursor: rows[to]?.id ?? '' });
  if (isText(key, 'q')) return stay({ quit: true });
  if (row === undefined) return stay({});
  if (row.kind === 'group' && (key === 'left' || key === 'right' || key === 'enter')) {
    const others = model.folded.filter((group) => group !== row.group);
    const fold = key === 'left' || (key === 'enter' && others.length === model.folded.length);
    return stay({ folded: fold ? [...others, row.group] : others });
  }
  if (row.kind === 'machine' && (key === 'enter' || key === 'right'))
    return stay({ screen: { kind: 'watch', mac: row.machine.mac } });
  if (isText(key, 'i') || isText(key, 'n')) {
    const once = isText(key, 'n');
    const screen = pickFor(row, model, once);
    return screen ? stay({ screen }) : stay({});
  }
  return stay({});
}

function pickKey(model: Model, screen: Extract<Screen, { kind: 'pick' }>, key: Key): Next {
  const choices = choicesOf(model);
  const to = moved(key, screen.cursor, choices.length);
  if (to !== undefined) return { model: { ...model, screen: { ...screen, cursor: to } }, actions: [] };
  const back: Model = { ...model, screen: { kind: 'list' } };
  if (key === 'escape' || isText(key, 'q')) return { model: back, actions: [] };
  if (key !== 'enter') return { model, actions: [] };
  const image = choices[Math.min(screen.cursor, choices.length - 1)];
  const { target, macs, once } = screen;
  return { model: back, actions: [once ? { kind: 'next', macs, image } : { kind: 'assign', target, image }] };
}

export function update(model: Model, event: Event): Next {
  if (event.kind === 'said') return { model: { ...model, message: event.sentence }, actions: [] };
  if (event.kind === 'data') {
    const known = { ...model, view: event.view };
    const rows = rowsOf(known);
    // A row that is gone leaves the cursor where it was, on what is there now.
    const before = rowsOf(model).findIndex(({ id }) => id === model.cursor);
    const there = rows.some(({ id }) => id === model.cursor);
    const cursor = there ? model.cursor : (rows[Math.min(Math.max(0, before), rows.length - 1)]?.id ?? '');
    return { model: { ...known, cursor }, actions: [] };
  }
  const { screen } = model;
  switch (screen.kind) {
    case 'list':
      return listKey(model, event.key);
    case 'pick':
      return pickKey(model, screen, event.key);
    case 'watch': {
      const back = event.key === 'escape' || event.key === 'left' || isText(event.key, 'q');
      return { model: back ? { ...model, screen: { kind: 'list' } } : model, actions: [] };
    }
  }
}
