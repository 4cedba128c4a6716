import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LineProcess } from '../../bench/line-process.ts';

const TIMEOUT_MS = 10_000;
const node = (program: string) => new LineProcess('child', process.execPath, ['--eval', program]);
const ECHO = `process.stdin.on('data', (line) => console.log(JSON.stringify({ event: 'echo', said: JSON.parse(line) })));`;

test('events come out, commands go in, and the child ends when its stdin does', async (t) => {
  const child = node(`console.log('not JSON'); console.log('{"event":"ready","port":7}'); ${ECHO}`);
  t.after(() => child.kill());
  assert.deepEqual(await child.event('ready', TIMEOUT_MS), { event: 'ready', port: 7 });
  child.send({ begin: [] });
  assert.deepEqual((await child.event('echo', TIMEOUT_MS)).said, { begin: [] });
  assert.match(child.stderr, /not JSON/);
  await child.close();
  assert.equal(await child.ended, 0);
});

test('a child that ends early says why', async () => {
  const child = node(`console.error('no such torrent'); process.exit(3)`);
  await assert.rejects(child.event('ready', TIMEOUT_MS), /child ended with 3 .*no such torrent/s);
});

test('a child that is silent runs into the deadline', async (t) => {
  const child = node(ECHO);
  t.after(() => child.kill());
  await assert.rejects(child.event('ready', 50), /did not say "ready" in 0.05 s/);
});

test('a program that does not exist is an error, not a crash', async () => {
  const child = new LineProcess('child', '/does/not/exist', []);
  await assert.rejects(child.event('ready', TIMEOUT_MS), /ended with 127 .*No such file/s);
});

test('a child does not outlive a parent that is killed', async (t) => {
  const program = `
    const { LineProcess } = await import(${JSON.stringify(join(import.meta.dirname, '../../bench/line-process.ts'))});
    const child = new LineProcess('grandchild', 'sleep', ['600']);
    await new Promise((resolve) => child.child.once('spawn', resolve));
    // setpriv has become sleep, and asked for the signal, by the time that its name has changed.
    const { readFileSync } = await import('node:fs');
    while (!readFileSync('/proc/' + child.pid + '/comm', 'utf8').startsWith('sleep'));
    console.log(JSON.stringify({ event: 'spawned', pid: child.pid }));`;
  const parent = new LineProcess('parent', process.execPath, ['--input-type=module', '--eval', program]);
  t.after(() => parent.kill());
  const { pid } = await parent.event('spawned', TIMEOUT_MS);
  await parent.kill();
  const isThere = (): boolean => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (isThere() && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 10));
  assert(!isThere());
});
