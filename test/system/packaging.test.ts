/** What can be said of debian/ without building packages; test/vm/long has what needs them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
/** systemd-analyze(1) counts in tenths: an exposure of 2.0. */
const MOST_EXPOSED = 20;

const run = (program: string, ...args: string[]): { status: number | null; said: string } => {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (error) throw error;
  return { status, said: stdout + stderr };
};

const UNITS = [
  'debian/swarmboot-server.swarmboot.service',
  'server/image/seed/swarmboot-seed.service',
  // What stage-1 brings along to an image without the seeder.
  'initramfs/swarmboot-seed.service',
];
/** Mounts the root file system of an image, as root, and ends. */
const NOT_A_DAEMON = ['server/image/initramfs/swarmboot-root.service'];

test('each unit of the repository is looked at', () => {
  const { said } = run('git', 'ls-files', '*.service', '*.socket', '*.timer');
  assert.deepEqual(said.trim().split('\n'), [...UNITS, ...NOT_A_DAEMON].sort());
});

for (const unit of UNITS)
  test(`${unit} is exposed to 2.0 at most`, () => {
    const security = (threshold: number) =>
      run(
        ...(['systemd-analyze', 'security', '--offline=true', '--no-pager'] as const),
        ...[`--threshold=${threshold}`, unit],
      );
    const { status, said } = security(MOST_EXPOSED);
    assert.match(said, /Overall exposure level for \S+: [\d.]+ /);
    assert.equal(status, 0, said.split('\n').slice(-4).join('\n'));
    // That the threshold is looked at.
    assert.notEqual(security(0).status, 0);
  });

test("shellcheck has nothing to say to the packages' scripts", () => {
  const scripts = globSync(
    ['debian/*.{config,postinst,postrm,prerm,preinst}', 'debian/tests/{server,ltsp,network}', 'debian/bin/*'],
    { cwd: root },
  );
  assert.ok(scripts.length >= 6, scripts.join());
  // What debconf's module and tests/network bring is not followed; $RET is set by the former.
  const { status, said } = run('shellcheck', '--shell=sh', '--exclude=SC1091,SC2154', ...scripts);
  assert.equal(status, 0, said);
});

test('pages for administrators refer to pages that the package has', () => {
  const docs = readFileSync(join(root, 'debian/swarmboot-server.docs'), 'utf8').split('\n');
  assert.ok(docs.includes('docs/admin'));
  const links = globSync('docs/admin/*.md', { cwd: root }).flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#:]+\.md)/g)].map(([, link = '']) =>
      join('docs/admin', link),
    ),
  );
  assert.ok(links.length > 10, String(links.length));
  const absent = links.filter((page) =>
    page.startsWith('docs/admin/') ? !existsSync(join(root, page)) : !docs.includes(page),
  );
  assert.deepEqual(absent, []);
});

test('without the npm packages and without a network the build says what is missing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-rules-'));
  try {
    for (const name of ['package.json', 'package-lock.json', '.npmrc', 'debian', 'torrent/vendor'])
      if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true });
    const { status, stdout, stderr } = spawnSync('make', ['--file=debian/rules', 'node_modules/.bin/node'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        ...process.env,
        npm_config_cache: join(folder, 'cache'),
        // Nobody listens there.
        npm_config_registry: 'http://127.0.0.1:9',
        npm_config_fetch_retries: '0',
      },
    });
    assert.notEqual(status, 0);
    assert.match(stdout + stderr, /ECONNREFUSED/);
    assert.match(
      stderr,
      /swarmboot: "npm ci" failed: the packages of package-lock\.json are neither in the npm cache \(.*\/cache\) nor can the npm registry be reached\. Fill the cache/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
