import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorSentence } from '../../../server/cli/error-sentence.ts';

const error = (code: string | undefined, message: string): NodeJS.ErrnoException =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

test('a full disk is told as one, with what to do', () => {
  for (const [code, message] of [
    ['ENOSPC', "ENOSPC: no space left on device, copyfile '/a' -> '/b'"],
    ['EDQUOT', 'EDQUOT: disk quota exceeded, write'],
    ['ERR_SQLITE_ERROR', 'database or disk is full'],
  ] as const)
    assert.equal(
      errorSentence(error(code, message)),
      `The disk is full (${message}): make room, then run the same again`,
    );
});

test("other system errors are the system's words", () => {
  const message = "EACCES: permission denied, open '/etc/swarmboot/release.sec'";
  assert.equal(errorSentence(error('EACCES', message)), message);
});

test('a defect shows where it is', () =>
  assert.match(errorSentence(error(undefined, 'x is not a function')), /x is not a function\n +at /));
