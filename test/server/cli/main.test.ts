/** The command as people and scripts run it: bin/swarmboot as a process. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { publishSmall } from '../published-image.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder('cli');
const [state, config] = [join(folder, 'state'), join(folder, 'config')];
// As npx has it: a link in another folder. And no `node` on PATH is needed.
const command = join(folder, 'swarmboot');
symlinkSync(join(import.meta.dirname, '../../../bin/swarmboot'), command);
const env = { PATH: '/usr/bin:/bin' };
const run = (...args: string[]) => spawnSync(command, args, { env, encoding: 'utf8', timeout: 30_000 });

async function startServe(...args: string[]): Promise<{ child: ChildProcess; url: string; lines: string[] }> {
  const child = spawn(
    command,
    [
      'serve',
      '--host',
      '127.0.0.1',
      '--http-port',
      '0',
      '--seeder-port',
      '0',
      '--state',
      state,
      '--config',
      config,
      ...args,
    ],
    { env, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  after(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  assert.ok(child.stdout);
  const reader = createInterface({ input: child.stdout });
  const first = Promise.withResolvers<void>();
  reader.on('line', (line) => {
    lines.push(line);
    first.resolve();
  });
  const deadline = setTimeout(() => first.reject(new Error('serve says nothing')), 20_000);
  await first.promise.finally(() => clearTimeout(deadline));
  const url = /^swarmboot: serving (http:\/\/127\.0\.0\.1:\d+)\/ /.exec(lines[0] ?? '')?.[1];
  assert.ok(url !== undefined, lines[0] ?? 'no line');
  return { child, url, lines };
}

test('key generate, show, and no overwriting', () => {
  assert.match(
    run('key', 'show', '--config', config).stderr,
    /^swarmboot: The release key \S+ does not exist; make one with/,
  );
  assert.equal(run('key', 'generate', '--config', config).status, 0);
  assert.equal(statSync(join(config, 'release.sec')).mode & 0o777, 0o600);
  assert.match(
    run('key', 'show', '--config', config).stdout,
    /^untrusted comment: swarmboot release public key\nRW/,
  );
  assert.match(
    JSON.parse(run('key', 'show', '--json', '--config', config).stdout).keyNumber,
    /^[0-9a-f]{16}$/,
  );
  const again = run('key', 'generate', '--config', config);
  assert.deepEqual([again.status, /--force/.test(again.stderr)], [1, true]);
});

test('wrong usage has status 2 and a sentence', () => {
  for (const args of [
    ['serve', '--http-port', '70000'],
    ['serve', '--append', 'a;b'],
    ['serve', '--append', 'swarmboot.lingre=30'],
    ['serve', '--append', 'swarmboot.linger=long'],
    ['serve', '--public-url', 'https://x'],
    ['serve', '--nope'],
    ['nope'],
    ['image', 'build'],
    ['image', 'build', '--name', '../x', '--config', config],
    ['image', 'build', '--name', 'current', '--config', config],
    ['image', 'build', '--name', 'x', '--user', 'u', '--config', config],
    ['dnsmasq', '--interface', 'a b', '--address', '10.0.0.1/24', '--mode', 'full'],
    ['dnsmasq', '--interface', 'a', '--address', '10.0.0.1/24'],
  ]) {
    const { status, stderr } = run(...args);
    assert.deepEqual([args, status], [args, 2], stderr);
    assert.ok(stderr.length > 10 && !stderr.includes('    at '), `${args.join(' ')}: ${stderr}`);
  }
  assert.equal(run('--help').status, 0);
});

test('image import refuses files that do not belong together', () => {
  const files = ['--kernel', '/bin/true', '--initrd', '/bin/true', '--root', '/bin/true'];
  const { status, stderr } = run(
    'image',
    'import',
    '--name',
    'x',
    ...files,
    '--state',
    state,
    '--config',
    config,
  );
  assert.equal(status, 1);
  assert.match(stderr, /^swarmboot: \/bin\/true is not a Linux kernel/);
});

test('serve says where, takes up a new image on SIGHUP, and ends on SIGTERM while a download hangs', async () => {
  const { child, url, lines } = await startServe('--json-log');
  assert.deepEqual(
    ((await (await fetch(`${url}/status`)).json()) as { server: { images: [] } }).server.images,
    [],
  );
  const published = await publishSmall(folder);
  child.kill('SIGHUP');
  const deadline = Date.now() + 10_000;
  while ((await fetch(`${url}/images/lab/manifest.json`)).status !== 200) {
    assert.ok(Date.now() < deadline, 'the new image is served');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const list = run('image', 'list', '--json', '--state', state);
  assert.deepEqual(
    JSON.parse(list.stdout).map((release: { name: string; current: boolean }) => [
      release.name,
      release.current,
    ]),
    [['lab', true]],
  );
  // Its body is never read: the connection stays open with data waiting.
  const hanging = await fetch(`${url}/images/lab/files/lab-${published.manifest.version}/root.squashfs`);
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(8000) });
  child.kill('SIGTERM');
  assert.deepEqual(await exit, [0, null]);
  await hanging.body?.cancel().catch(() => {});
  assert.match(lines.join('\n'), /no image is published yet/);
});
