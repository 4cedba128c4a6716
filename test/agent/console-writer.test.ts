import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openConsole } from '../../agent/console-writer.ts';

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'swarmboot-console-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('lines go to the console in order', (context) => {
  const path = join(folder(context), 'console');
  writeFileSync(path, '');
  const console = openConsole(path);
  console.line('swarmboot: phase network: start');
  console.line('swarmboot: rebooting in 1s');
  console.close();
  assert.equal(readFileSync(path, 'utf8'), 'swarmboot: phase network: start\nswarmboot: rebooting in 1s\n');
});

test('a console that takes nothing holds nobody up, and gets whole lines once it does', async (context) => {
  const path = join(folder(context), 'fifo');
  execFileSync('mkfifo', [path]);
  // O_RDWR: a reader that does not read, so that the pipe fills.
  const fd = openSync(path, 'r+');
  const console = openConsole(path);
  const line = 'x'.repeat(999);
  // The pipe holds 64 KiB and the backlog 32: most of these are lost.
  for (let n = 0; n < 1000; n++) console.line(line);
  const buffer = Buffer.alloc(65536);
  let text = '';
  const keepAlive = setInterval(() => {}, 10);
  while (text.length < 90_000) {
    const before = text.length;
    text += buffer.toString('latin1', 0, readSync(fd, buffer));
    assert.ok(text.length > before);
    await new Promise((resolve) => setTimeout(resolve, 70));
  }
  clearInterval(keepAlive);
  console.close();
  assert.deepEqual(new Set(text.trim().split('\n')), new Set([line]));
});

test('without a console the lines go to standard output', async () => {
  const script = `import { openConsole } from './agent/console-writer.ts'; openConsole('/nowhere/console').line('hello');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  assert.equal(text, 'hello\n');
});
