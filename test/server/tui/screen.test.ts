import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, type Model, update } from '../../../server/tui/model.ts';
import { bar, draw, SMALLEST, windowStart } from '../../../server/tui/screen.ts';
import { assertGolden } from '../golden.ts';
import { live, machine, site } from './view-fixture.ts';

const size = { columns: 80, rows: 24 };
const start = update(EMPTY, { kind: 'data', view: site() }).model;
const watching: Model = { ...start, screen: { kind: 'watch', mac: '52:54:00:aa:00:01' } };
const picking: Model = {
  ...start,
  screen: {
    ...{ kind: 'pick', target: { scope: 'group', key: 'lab1' }, whom: 'group lab1' },
    ...{ macs: [], once: false, cursor: 1 },
  },
};
// The clock of the header and of boots is in the zone of whoever runs the test.
const textOf = (model: Model, of = size): string =>
  `${draw(model, of)
    .map(({ text }) => text.trimEnd())
    .join('\n')
    .replaceAll(/\d\d:\d\d:\d\d$/gm, 'HH:MM:SS')}\n`;

test('the screens are as the golden files have them', () => {
  assertGolden('tui-list.txt', textOf(start));
  assertGolden('tui-watch.txt', textOf(watching));
  assertGolden('tui-pick.txt', textOf(picking));
});

test('every screen fills the window exactly, in any size', () => {
  const many = update(EMPTY, {
    kind: 'data',
    view: site({ machines: Array.from({ length: 500 }, (_, index) => machine(index)) }),
  }).model;
  for (const model of [EMPTY, start, watching, picking, many]) {
    for (const columns of [SMALLEST.columns, 80, 200]) {
      for (const rows of [SMALLEST.rows, 24, 60]) {
        const lines = draw(model, { columns, rows });
        assert.equal(lines.length, rows);
        assert.ok(lines.every(({ text }) => text.length <= columns));
      }
    }
  }
  const small = draw(start, { columns: 20, rows: 3 });
  assert.ok(small.length <= 3 && small.every(({ text }) => text.length <= 20));
  assert.match(small.map(({ text }) => text).join(''), /^The terminal has 20x3; the console needs 60x12/);
});

test('of a long list the part around the cursor is shown', () => {
  const machines = Array.from({ length: 500 }, (_, index) =>
    machine(index, { mac: `m${index}`, name: `pc${index}` }),
  );
  const model = update(EMPTY, { kind: 'data', view: site({ machines }) }).model;
  const shown = draw({ ...model, cursor: 'm250' }, size);
  assert.match(shown.find(({ inverse }) => inverse)?.text ?? '', /^ {2}pc250 /);
  assert.deepEqual([windowStart(0, 500, 10), windowStart(499, 500, 10), windowStart(3, 5, 10)], [0, 490, 0]);
});

test('nothing from the network reaches the terminal but printable ASCII', () => {
  const evil = '\x1b[2J\x07é\u202e';
  const errors = [{ code: evil, message: evil }];
  const view = site({
    machines: [machine(1, { name: evil, reason: evil, live: live({ errors, phase: 'verify' }) })],
    server: { url: evil, problem: evil },
  });
  const model = update(EMPTY, { kind: 'data', view }).model;
  const watch: Model = { ...model, screen: { kind: 'watch', mac: '52:54:00:aa:00:01' }, message: evil };
  for (const { text } of [...draw(model, size), ...draw(watch, size)]) assert.match(text, /^[\x20-\x7e]*$/);
});

test('states are words: loading, running, failed, silent, never booted', () => {
  const word = (fields: Parameters<typeof machine>[1]): string => {
    const model = update(EMPTY, { kind: 'data', view: site({ machines: [machine(1, fields)] }) }).model;
    return draw(model, size)[3]?.text.slice(20, 33).trim() ?? '';
  };
  assert.equal(word({ live: live({ boot: null, phase: null, progress: null }) }), 'stage-1');
  assert.equal(word({ live: live({ handoff: 'pmem' }) }), 'running');
  assert.equal(
    word({ live: live({ phase: 'verify', errors: [{ code: 'x', message: 'y' }] }) }),
    'verify failed',
  );
  assert.equal(word({ live: live({ lastSeen: '2026-01-31T11:00:00Z' }) }), 'silent');
  assert.equal(word({}), 'never booted');
  const boots = [{ startedMs: 1, release: 'lab/1', outcome: 'error', detail: 'x' } as const];
  assert.equal(word({ boots }), 'failed');
});

test('a bar is as wide as asked for, for any number', () => {
  for (const fraction of [undefined, -1, 0, 0.5, 1, 99, Number.NaN])
    assert.equal(bar(fraction, 12).length, 12);
});
