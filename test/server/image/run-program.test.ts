import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, type FailureCode } from '../../../server/failure.ts';
import { runProgram } from '../../../server/image/run-program.ts';

const fails = (code: FailureCode, message: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === code && message.test(error.message);

test('returns the output, passes the input, tells the lines of standard error', async () => {
  const lines: string[] = [];
  const output = await runProgram('sh', ['-c', 'cat; echo one >&2; printf two >&2'], {
    timeoutMs: 10_000,
    input: 'hello',
    onLine: (line) => lines.push(line),
  });
  assert.equal(output.toString(), 'hello');
  assert.deepEqual(lines, ['one']);
});

test('a failure carries status and last lines', async () => {
  await assert.rejects(
    runProgram('sh', ['-c', 'echo the disk is full >&2; exit 3'], { timeoutMs: 10_000 }),
    fails('program-failed', /status 3:\n {2}the disk is full/),
  );
  await assert.rejects(
    runProgram('no-such-program', [], { timeoutMs: 1000, debianPackage: 'its-package' }),
    fails('missing-program', /apt-get install its-package/),
  );
  await assert.rejects(
    runProgram('sh', ['-c', 'yes | head -c 100000'], { timeoutMs: 10_000, outputLimitBytes: 1000 }),
    fails('program-failed', /more than 1000 bytes/),
  );
});

test('a deadline and an abort end the program and its children', async () => {
  // The child would keep the pipe open for a minute: only killing the whole group ends this soon.
  await assert.rejects(
    runProgram('sh', ['-c', 'sleep 60 & sleep 60'], { timeoutMs: 200 }),
    fails('timeout', /longer than/),
  );
  const signal = AbortSignal.timeout(200);
  await assert.rejects(
    runProgram('sh', ['-c', 'sleep 60 & sleep 60'], { timeoutMs: 60_000, signal }),
    /aborted/,
  );
});
