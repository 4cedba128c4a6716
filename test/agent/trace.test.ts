import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { realMachine } from '../../agent/machine.ts';
import { openTrace, type TracedSwarm, type TraceLine, traceSwarm } from '../../agent/trace.ts';

const swarm = (): TracedSwarm & EventEmitter =>
  Object.assign(new EventEmitter(), {
    port: 6881,
    stats: () => ({ pieceCount: 7 }) as ReturnType<TracedSwarm['stats']>,
  });

test('what happens in a swarm becomes lines, in order and with the time', () => {
  const traced = swarm();
  const lines: TraceLine[] = [];
  traceSwarm(traced, { ...realMachine, wallClockMs: () => 1000.4 }, (line) => lines.push(line));
  traced.emit('peer', { address: '10.0.0.1:6881', direction: 'out' });
  traced.emit('piece', 3, ['10.0.0.1:6881', '10.0.0.2:6881']);
  traced.emit('peer-closed', { address: '10.0.0.1:6881', reason: 'idle' });
  traced.emit('complete');
  const [start, ...rest] = lines;
  assert(start?.event === 'start');
  assert.deepEqual([start.at, start.port, start.pieces], [1000, 6881, 7]);
  assert(start.hosts.includes('127.0.0.1'), 'by which hosts others may know it');
  assert.deepEqual(rest, [
    { at: 1000, event: 'joined', peer: '10.0.0.1:6881' },
    { at: 1000, event: 'piece', piece: 3, from: ['10.0.0.1:6881', '10.0.0.2:6881'] },
    { at: 1000, event: 'left', peer: '10.0.0.1:6881', reason: 'idle' },
    { at: 1000, event: 'complete' },
  ]);
});

test('lines go into a file; one that cannot be written is told of once, and the rest goes nowhere', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-trace-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'trace.ndjson');
  const write = openTrace(path, assert.fail);
  for (const piece of [1, 2]) write({ at: piece, event: 'piece', piece, from: [] });
  const wanted =
    '{"at":1,"event":"piece","piece":1,"from":[]}\n{"at":2,"event":"piece","piece":2,"from":[]}\n';
  while (!existsSync(path) || readFileSync(path, 'utf8') !== wanted)
    await sleep(5, undefined, { signal: t.signal });

  const failures = new EventEmitter();
  let told = 0;
  const lost = openTrace(join(folder, 'no-such-folder', 'trace.ndjson'), (message) => {
    told++;
    failures.emit('failed', message);
  });
  lost({ at: 1, event: 'complete' });
  const [message] = await once(failures, 'failed');
  assert.match(String(message), /^Cannot write the trace: ENOENT/);
  for (let index = 0; index < 5; index++) lost({ at: 2, event: 'complete' });
  await sleep(20);
  assert.equal(told, 1);
});
