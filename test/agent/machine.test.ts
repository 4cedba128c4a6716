import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realMachine } from '../../agent/machine.ts';

test('a program tells its status and its words', async () => {
  assert.deepEqual(await realMachine.run('sh', ['-c', 'echo out; echo err >&2; exit 3']), {
    status: 3,
    output: 'out\nerr',
  });
  const { status, output } = await realMachine.run('sh', ['-c', 'echo "$NEWS"'], {
    environment: { NEWS: 'good' },
  });
  assert.deepEqual([status, output], [0, 'good']);
});

test('a program that is not there is a result, not an exception', async () => {
  const { status, output } = await realMachine.run('no-such-program-here', []);
  assert.equal(status, undefined);
  assert.match(output, /ENOENT/);
});

test('endless output is cut, an abort kills', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  const { status, output } = await realMachine.run('yes', [], { signal: controller.signal });
  assert.equal(status, undefined);
  assert.ok(output.length <= 4096);
});

test('sleep rejects with the reason of its signal', async () => {
  const reason = new Error('stop');
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 10);
  await assert.rejects(realMachine.sleep(60_000, controller.signal), reason);
  await realMachine.sleep(1);
});
