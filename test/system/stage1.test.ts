/** Stage-1 from the real packages: what is in it, that two builds are one, and the limit. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildStage1, type Stage1, type Stage1Options } from '../../initramfs/stage1.ts';
import { listSquashfs, partsOf } from '../initramfs/read-initrd.ts';
import { debianPackages, newPublicKey } from './stage1-machine.ts';

const root = join(import.meta.dirname, '../..');
const golden = join(import.meta.dirname, 'golden/stage1-listing.txt');
const publicKey = newPublicKey();
let folder: string;
let options: Stage1Options;
let stage1: Stage1;

/** The runtime itself stands in for the agent: the same libraries, and no bundle to wait for. Level 1 for speed. */
const optionsIn = async (cache: string): Promise<Stage1Options> => ({
  architecture: 'amd64',
  packages: await debianPackages(),
  agent: readFileSync(process.execPath),
  publicKey,
  cache: join(folder, cache),
  level: 1,
  limitBytes: 256 * 2 ** 20,
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarmboot-stage1-'));
  options = await optionsIn('first');
  stage1 = await buildStage1(options);
});
after(() => rm(folder, { recursive: true, force: true }));

test('two builds from cold caches give the same bytes', async () => {
  const again = await buildStage1(await optionsIn('second'));
  assert.deepEqual(again.report.sha256, stage1.report.sha256);
  assert.ok(again.initrd.equals(stage1.initrd));
});

test("the kernel is Debian's, to the byte: Secure Boot's signature covers it", () => {
  const file = join(options.packages, 'boot', `vmlinuz-${stage1.report.kernelRelease}`);
  assert.ok(stage1.vmlinuz.equals(readFileSync(file)));
});

/** What cpio(1) and unsquashfs(1) say is in the initrd, part by part, without what changes with a point release. */
function listing(): string {
  const lines: string[] = [];
  const add = (mode: string, owner: string, path: string): void => {
    const name = path.replaceAll(stage1.report.kernelRelease, 'RELEASE').replace(/\.so\.4\.\d+$/, '.so.4.N');
    lines.push(`${mode} ${owner} ${name}`);
  };
  for (const { name, archive, squashfs } of partsOf(stage1)) {
    const output = execFileSync('cpio', ['--list', '--verbose', '--numeric-uid-gid', '--quiet'], {
      input: archive,
      encoding: 'utf8',
      timeout: 60_000,
    });
    lines.push(`# ${name}`);
    for (const line of output.split('\n').filter((text) => text !== '')) {
      const match = /^(\S{10})\s+\d+\s+(\d+)\s+(\d+)\s+(?:\d+,\s*)?\d+\s+\S+\s+\S+\s+\S+\s+(.*)$/.exec(line);
      assert.ok(match, `cpio says "${line}"`);
      const [, mode = '', uid, gid, path = ''] = match;
      add(mode, `${uid}:${gid}`, path);
    }
    for (const line of squashfs ? listSquashfs(squashfs) : []) {
      const match = /^(\S{10}) (\d+)\/(\d+)\s+\d+ \S+ \d\d:\d\d (.*)$/.exec(line);
      assert.ok(match, `unsquashfs says "${line}"`);
      // Its own root has no name.
      const [, mode = '', uid, gid, path] = match;
      add(mode, `${uid}:${gid}`, path || '/');
    }
  }
  return `${lines.join('\n')}\n`;
}

test('cpio(1) reads every part and finds what the golden list says (UPDATE_GOLDEN=1 writes it anew)', () => {
  const found = listing();
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, found);
  assert.equal(found, readFileSync(golden, 'utf8'));
});

test('drivers of ordinary machines are there and signed, and nothing in modules.dep is missing', () => {
  const files = new Set(Object.keys(stage1.report.files));
  const names = [...files].map((path) => path.slice(path.lastIndexOf('/') + 1));
  for (const driver of [
    'e1000e',
    'igc',
    'r8169',
    'realtek',
    'tg3',
    'virtio_net',
    'r8152',
    'nd_pmem',
    'squashfs',
  ])
    assert.ok(names.includes(`${driver}.ko`), driver);
  const squashfs = partsOf(stage1).find(({ name }) => name === 'modules')?.squashfs ?? Buffer.alloc(0);
  const inner = `${stage1.report.kernelRelease}/`;
  // Under Secure Boot the kernel takes only modules with Debian's signature, which stands at their end.
  const drivers = [...files].filter((path) => path.startsWith(inner) && path.endsWith('.ko'));
  const unpacked = join(folder, 'modules');
  writeFileSync(`${unpacked}.squashfs`, squashfs);
  execFileSync('unsquashfs', ['-quiet', '-no-progress', '-d', unpacked, `${unpacked}.squashfs`]);
  for (const path of drivers)
    assert.ok(readFileSync(join(unpacked, path), 'latin1').endsWith('~Module signature appended~\n'), path);
  const lines =
    readFileSync(join(unpacked, inner, 'modules.dep'), 'utf8').match(/^kernel\/\S+\.ko:.*$/gm) ?? [];
  assert.ok(lines.length > 100, `${lines.length} lines`);
  for (const path of lines.flatMap((line) => line.split(/:? /).map((part) => part.replace(/:$/, ''))))
    if (path !== '') assert.ok(files.has(inner + path), path);
});

test('the command refuses to write more than the limit', () => {
  const key = join(folder, 'release.pub');
  const out = join(folder, 'out');
  writeFileSync(key, publicKey);
  // Small, and one that needs the same libraries: so that nobody waits for the compression.
  const agent = join(options.packages, 'usr/sbin/kexec');
  const run = (...more: string[]): { status: number; output: string } => {
    try {
      const stdout = execFileSync(
        join(root, 'scripts/build-stage1'),
        ['--key', key, '--out', out, '--agent', agent, ...more],
        { encoding: 'utf8', stdio: 'pipe', timeout: 300_000 },
      );
      return { status: 0, output: stdout };
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      return { status, output: stderr };
    }
  };
  const refused = run('--limit', '1000000');
  assert.equal(refused.status, 1);
  assert.match(refused.output, /kernel and initrd take [\d.]+ MiB, and 1\.0 MiB is the limit/);
  assert.ok(!existsSync(join(out, 'initrd.img')));

  const accepted = run();
  assert.equal(accepted.status, 0, accepted.output);
  assert.match(accepted.output, /total .* of at most 56\.0 MiB/);
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
  assert.equal(report.bytes['initrd.img'], readFileSync(join(out, 'initrd.img')).length);
});
