/**
 * The console in a terminal: ink (React for terminals) reads the keys, knows the size of the window and draws the lines
 * of screen.ts. Nothing is decided here. Plain `createElement`: Node runs .ts files, not .tsx.
 */
import { Box, render, Text, useInput, useWindowSize } from 'ink';
import { createElement } from 'react';
import { EMPTY, type Event, type Key, type Model, update } from './model.ts';
import { draw } from './screen.ts';
import type { DataSource } from './site-view.ts';

const REFRESH_MS = 1_000;

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1];
const NAMED: readonly (readonly [keyof InkKey, Key])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageUp'],
  ['pageDown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
];

function Console({ model, send }: { model: Model; send: (event: Event) => void }) {
  const { columns, rows } = useWindowSize();
  useInput((input, key) => {
    const named = NAMED.find(([name]) => key[name]);
    if (named) send({ kind: 'key', key: named[1] });
    else for (const text of input) send({ kind: 'key', key: { text } });
  });
  const lines = draw(model, { columns, rows }).map(({ text, color, bold, inverse }, index) =>
    createElement(
      Text,
      { key: index, bold, inverse, wrap: 'truncate', ...(color && { color }) },
      text === '' ? ' ' : text,
    ),
  );
  return createElement(Box, { flexDirection: 'column', width: columns, height: rows }, lines);
}

/** Shows the console until the user quits. The terminal is as it was afterwards. */
export async function runConsole(source: DataSource): Promise<void> {
  let model = EMPTY;
  let timer: NodeJS.Timeout | undefined;

  const say = (error: unknown): void => send({ kind: 'said', sentence: (error as Error).message });
  const refresh = async (): Promise<void> => {
    clearTimeout(timer);
    await source.read(Date.now()).then((view) => send({ kind: 'data', view }), say);
    clearTimeout(timer); // another refresh may have been quicker
    if (!model.quit) timer = setTimeout(refresh, REFRESH_MS);
  };
  const send = (event: Event): void => {
    if (model.quit) return;
    const next = update(model, event);
    model = next.model;
    app.rerender(createElement(Console, { model, send }));
    for (const action of next.actions) {
      source
        .perform(action, Date.now())
        .then((sentence) => send({ kind: 'said', sentence }), say)
        .then(refresh);
    }
    if (model.quit) app.unmount();
  };

  // `interactive`: ink would otherwise keep still wherever a variable CI is set, as in some administrators' shells.
  const app = render(createElement(Console, { model, send }), {
    ...{ alternateScreen: true, interactive: true, incrementalRendering: true, patchConsole: false },
  });
  void refresh();
  await app.waitUntilExit();
  model = { ...model, quit: true };
  clearTimeout(timer);
}
