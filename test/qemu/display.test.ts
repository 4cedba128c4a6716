import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Display, nextState, POWERED_ON } from '../../qemu/display.ts';

const CONSOLE = [
  'SeaBIOS (version 1.16.2)',
  'iPXE initialising devices...ok',
  'Linux version 6.12.1',
  'swarmboot: phase swarm: start',
  ...Array.from({ length: 100 }, (_, n) => `swarmboot: progress ${n}.0% ${n} MiB of 100 MiB`),
  'swarmboot: phase swarm: end ok 10.0s 100 MiB',
  'swarmboot: phase handoff: start',
  'Linux version 6.12.1',
];

function play(screen: { isTTY?: boolean; columns?: number }): string {
  let shown = '';
  const display = new Display({ ...screen, write: (text) => (shown += text) });
  for (const [second, line] of CONSOLE.entries()) display.line('machine1', second, line);
  return shown;
}

it('writes one line for each change to a log, and progress by tenths', () => {
  const lines = play({}).trimEnd().split('\n');
  assert.equal(lines.filter((line) => line.includes('MiB of')).length, 10);
  assert.match(lines.at(-1) ?? '', /machine1 +system +the real kernel has started/);
  assert.ok(lines.length < 20, `${lines.length} lines`);
});

it('redraws one line per machine on a terminal, never wider than it', () => {
  const shown = play({ isTTY: true, columns: 40 });
  assert.match(shown, /\x1b\[1A/);
  for (const line of shown.split('\n')) assert.ok(line.replaceAll(/\x1b\[\d*[AK]|\r/g, '').length < 40);
});

it('takes the second kernel for the real system only after a handoff', () => {
  assert.equal(nextState(POWERED_ON, 'Linux version 6.12').phase, 'kernel');
  assert.equal(nextState({ ...POWERED_ON, phase: 'handoff' }, 'Linux version 6.12').phase, 'system');
  assert.equal(nextState(POWERED_ON, 'anything'), POWERED_ON);
});
