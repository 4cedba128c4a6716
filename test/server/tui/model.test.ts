import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, type Key, type Model, rowsOf, update } from '../../../server/tui/model.ts';
import type { Action } from '../../../server/tui/site-view.ts';
import { machine, site } from './view-fixture.ts';

function press(model: Model, ...keys: Key[]): { model: Model; actions: Action[] } {
  const actions: Action[] = [];
  let current = model;
  for (const key of keys) {
    const next = update(current, { kind: 'key', key });
    current = next.model;
    actions.push(...next.actions);
  }
  return { model: current, actions };
}
const start = update(EMPTY, { kind: 'data', view: site() }).model;
const type = (text: string): Key => ({ text });

test('rooms come with their machines, empty rooms too, machines without a room last', () => {
  assert.deepEqual(
    rowsOf(start).map(({ id }) => id),
    ['group lab1', '52:54:00:aa:00:01', '52:54:00:aa:00:02', 'group lab2', 'group ', '52:54:00:aa:00:03'],
  );
  assert.equal(start.cursor, 'group lab1');
  const folded = press(start, 'left').model;
  assert.deepEqual(rowsOf(folded).length, 4);
  assert.deepEqual(rowsOf(press(folded, 'enter').model).length, 6);
});

test('the cursor stays within the list, and on its machine when others come and go', () => {
  assert.equal(press(start, 'up', 'up').model.cursor, 'group lab1');
  assert.equal(press(start, 'pageDown', 'down').model.cursor, '52:54:00:aa:00:03');
  const onTwo = press(start, 'down', type('j')).model;
  assert.equal(onTwo.cursor, '52:54:00:aa:00:02');
  const more = site({ machines: [machine(0), machine(1), machine(2)] });
  assert.equal(update(onTwo, { kind: 'data', view: more }).model.cursor, '52:54:00:aa:00:02');
  const gone = site({ machines: [machine(1)] });
  assert.equal(update(onTwo, { kind: 'data', view: gone }).model.cursor, 'group lab2');
  const none = update(onTwo, { kind: 'data', view: site({ machines: [], groups: [] }) }).model;
  assert.equal(none.cursor, '');
  assert.deepEqual(press(none, 'enter', type('i'), 'down', 'left').actions, []);
});

test('an image is picked for a machine, a room, and for all others', () => {
  assert.deepEqual(press(start, 'down', type('i'), 'down', 'enter').actions, [
    { kind: 'assign', target: { scope: 'machine', key: '52:54:00:aa:00:01' }, image: 'lab' },
  ]);
  assert.deepEqual(press(start, type('i'), 'enter').actions, [
    { kind: 'assign', target: { scope: 'group', key: 'lab1' }, image: 'exam' },
  ]);
  assert.deepEqual(press(start, 'end', 'up', type('i'), 'end', 'enter').actions, [
    { kind: 'assign', target: { scope: 'default', key: '' }, image: undefined },
  ]);
  const { model, actions } = press(start, type('i'), 'escape');
  assert.deepEqual([model.screen.kind, actions], ['list', []]);
});

test('the next boot only, for each machine of a room', () => {
  assert.deepEqual(press(start, type('n'), 'enter').actions, [
    { kind: 'next', macs: ['52:54:00:aa:00:01', '52:54:00:aa:00:02'], image: 'exam' },
  ]);
});

test('a machine is watched until escape; q quits from the list', () => {
  const watching = press(start, 'down', 'enter').model;
  assert.deepEqual(watching.screen, { kind: 'watch', mac: '52:54:00:aa:00:01' });
  assert.equal(press(watching, 'escape').model.screen.kind, 'list');
  assert.deepEqual(
    [press(watching, type('q')).model.quit, press(start, type('q')).model.quit],
    [false, true],
  );
});

test('a message stays until the next key, whatever data come', () => {
  const said = update(start, { kind: 'said', sentence: 'done' }).model;
  assert.equal(update(said, { kind: 'data', view: site() }).model.message, 'done');
  assert.equal(press(said, 'down').model.message, '');
});
