/** The whole build on packages that are made up: quick, and with things missing that Debian always has. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Arch } from '../../contract/manifest.ts';
import { formatPublicKey, generateKey } from '../../contract/signify.ts';
import { ARCHITECTURES } from '../../initramfs/architecture.ts';
import {
  buildStage1,
  type Group,
  MOUNT_POINTS,
  type Stage1,
  Stage1Error,
  type Stage1Options,
} from '../../initramfs/stage1.ts';
import { readCpio } from '../contract/read-cpio.ts';
import { makeElf } from './make-elf.ts';
import { listSquashfs, partsOf } from './read-initrd.ts';

const RELEASE = '6.12.0-test';
const LINKER = { amd64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' } as const;
const publicKey = formatPublicKey(
  generateKey((length) => randomBytes(length)),
  'test',
);
const agentFor = (arch: Arch) => makeElf({ needed: ['libc.so.6'], interpreter: LINKER[arch] });
const agent = agentFor('amd64');

async function madeUpPackages(t: TestContext, architecture: Arch = 'amd64'): Promise<Stage1Options> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmboot-stage1-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const packages = join(folder, 'packages');
  const put = async (path: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> => {
    await mkdir(dirname(join(packages, path)), { recursive: true });
    await writeFile(join(packages, path), bytes, { mode });
  };
  const libraries = `usr/${ARCHITECTURES[architecture].libraryDirectory}`;
  const interpreter = LINKER[architecture];
  const linker = basename(interpreter);
  await put(`boot/vmlinuz-${RELEASE}`, 'the signed kernel');
  await put('usr/bin/busybox', '#!/bin/sh\n\0[\0[[\0busybox\0modprobe\0sh\0\0', 0o755);
  await put('usr/sbin/kexec', makeElf({ needed: ['libxen.so.4'], interpreter }), 0o755);
  await put(`${libraries}/${linker}`, makeElf({}));
  await put(`${libraries}/libc.so.6`, makeElf({ needed: [linker] }));
  await put(`${libraries}/libxen.so.4.20`, makeElf({ needed: ['libc.so.6'] }));
  await symlink('libxen.so.4.20', join(packages, libraries, 'libxen.so.4'));
  const modules = `usr/lib/modules/${RELEASE}`;
  await put(`${modules}/modules.builtin`, 'kernel/drivers/virtio/virtio_pci.ko\n');
  await put(`${modules}/kernel/net/e1000e.ko`, makeElf({ modinfo: ['depends=ptp', 'alias=pci:v8086*'] }));
  await put(`${modules}/kernel/loop.ko`, makeElf({ modinfo: ['depends='] }));
  await put(`${modules}/kernel/ptp.ko`, makeElf({ modinfo: ['depends=', 'firmware=ptp.fw'] }));
  return {
    architecture,
    packages,
    agent: agentFor(architecture),
    publicKey,
    cache: join(folder, 'cache'),
    level: 1,
    modules: ['e1000e', 'virtio-pci'],
    applets: ['sh', 'modprobe'],
    firstModules: ['loop'],
  };
}

/** path -> type and mode as `ls -l` has them, over all parts, those of a squashfs below where it is mounted. */
function listing(stage1: Stage1): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, archive, squashfs } of partsOf(stage1)) {
    for (const { path, mode } of readCpio(archive).members) found.set(path, mode.toString(8));
    for (const line of squashfs ? listSquashfs(squashfs) : []) {
      const [, mode = '', path = ''] = /^(\S{10}) .* \d\d:\d\d (\/\S*)/.exec(line) ?? [];
      found.set(`${MOUNT_POINTS[name as Group]}${path}`, mode);
    }
  }
  return found;
}

test('stage-1 holds programs, libraries, drivers, agent, key and init, each with its mode', async (t) => {
  const stage1 = await buildStage1(await madeUpPackages(t));
  const { vmlinuz, initrd, report } = stage1;
  assert.equal(vmlinuz.toString(), 'the signed kernel');
  const paths = listing(stage1);
  const expected: Record<string, string> = {
    init: '100755',
    'bin/busybox': '100755',
    'lib/first/loop.ko': '100644',
    'modules.squashfs': '100444',
    'agent.squashfs': '100444',
    // Where they are looked for, and where they lie.
    'bin/swarmboot-agent': '120777',
    'system/bin/swarmboot-agent': '-rwxr-xr-x',
    'bin/kexec': '120777',
    'system/bin/kexec': '-rwxr-xr-x',
    'lib/x86_64-linux-gnu': '120777',
    lib64: '120777',
    'bin/modprobe': '120777',
    sbin: '120777',
    'system/lib/x86_64-linux-gnu/libxen.so.4': '-rwxr-xr-x',
    'system/lib64/ld-linux-x86-64.so.2': '-rwxr-xr-x',
    [`lib/modules/${RELEASE}/kernel/net/e1000e.ko`]: '-rw-r--r--',
    [`lib/modules/${RELEASE}/kernel/ptp.ko`]: '-rw-r--r--',
    [`lib/modules/${RELEASE}/modules.dep`]: '-rw-r--r--',
    [`lib/modules/${RELEASE}/modules.alias`]: '-rw-r--r--',
    'etc/swarmboot/release.pub': '100644',
    'dev/console': '20600',
    'dev/null': '20666',
    proc: '40555',
    tmp: '41777',
  };
  for (const [path, mode] of Object.entries(expected)) assert.equal(paths.get(path), mode, path);
  assert.equal(report.kernelRelease, RELEASE);
  assert.ok(report.keyBytes > 0);
  assert.equal(report.bytes.total, vmlinuz.length + initrd.length);
  assert.deepEqual(report.firmwareNotShipped, { ptp: ['ptp.fw'] });
  assert.equal(report.files['bin/swarmboot-agent'], agent.length);
});

test("ARM64's dynamic linker lies right in lib, beside the drivers", async (t) => {
  const paths = listing(await buildStage1(await madeUpPackages(t, 'arm64')));
  const expected: Record<string, string> = {
    'lib/ld-linux-aarch64.so.1': '120777',
    'system/lib/ld-linux-aarch64.so.1': '-rwxr-xr-x',
    'lib/aarch64-linux-gnu': '120777',
    'system/lib/aarch64-linux-gnu/libc.so.6': '-rwxr-xr-x',
    lib: '40755',
    'lib/first/loop.ko': '100644',
    [`lib/modules/${RELEASE}/kernel/ptp.ko`]: '-rw-r--r--',
  };
  for (const [path, mode] of Object.entries(expected)) assert.equal(paths.get(path), mode, path);
});

test('the same things in give the same bytes, from another folder and a cold cache', async (t) => {
  const first = await buildStage1(await madeUpPackages(t));
  const second = await buildStage1(await madeUpPackages(t));
  assert.ok(first.initrd.equals(second.initrd));
  assert.deepEqual(first.report, second.report);
  const later = await buildStage1({ ...(await madeUpPackages(t)), mtime: 86_400 });
  assert.ok(!later.initrd.equals(first.initrd));
});

test('a package build, which dates everything by SOURCE_DATE_EPOCH, gets the same bytes', async (t) => {
  const plain = await buildStage1(await madeUpPackages(t));
  const before = process.env.SOURCE_DATE_EPOCH;
  t.after(() => {
    if (before === undefined) delete process.env.SOURCE_DATE_EPOCH;
    else process.env.SOURCE_DATE_EPOCH = before;
  });
  process.env.SOURCE_DATE_EPOCH = '86400';
  assert.ok((await buildStage1(await madeUpPackages(t))).initrd.equals(plain.initrd));
});

const refusal = async (options: Stage1Options): Promise<Stage1Error> => {
  try {
    await buildStage1(options);
  } catch (error) {
    assert.ok(error instanceof Stage1Error, String(error));
    return error;
  }
  assert.fail('the build did not fail');
};

test('everything that is missing is named at once', async (t) => {
  const options = await madeUpPackages(t);
  await unlink(join(options.packages, 'usr/lib/x86_64-linux-gnu/libxen.so.4'));
  const error = await refusal({
    ...options,
    modules: ['e1000e', 'no-such-driver'],
    applets: ['sh', 'udhcpc'],
    agent: makeElf({ needed: ['libatomic.so.1'], interpreter: LINKER.amd64 }),
  });
  assert.equal(error.code, 'missing');
  for (const name of ['libxen.so.4', 'no_such_driver', 'udhcpc', 'libatomic.so.1'])
    assert.ok(error.message.includes(`"${name}"`), `${name} is not in: ${error.message}`);
});

test('a module that init cannot load by itself is named', async (t) => {
  const options = { ...(await madeUpPackages(t)), firstModules: ['loop', 'e1000e'] };
  assert.match(
    (await refusal(options)).message,
    /kernel module "e1000e" needs ptp, and init loads it by itself/,
  );
});

test('a missing program is named', async (t) => {
  const options = await madeUpPackages(t);
  await unlink(join(options.packages, 'usr/sbin/kexec'));
  assert.match((await refusal(options)).message, /needs the program "usr\/sbin\/kexec"/);
});

test('above the limit the build says what takes the room', async (t) => {
  const error = await refusal({ ...(await madeUpPackages(t)), limitBytes: 100 });
  assert.equal(error.code, 'too-big');
  assert.match(error.message, /is the limit \(kernel .*programs .*modules .*agent .*Remove drivers/);
});

test('without a key the bytes are those of any site up to its key', async (t) => {
  const options = await madeUpPackages(t);
  const site = await buildStage1(options);
  const anywhere = await buildStage1({ ...options, publicKey: undefined });
  assert.equal(anywhere.report.keyBytes, 0);
  assert.ok(anywhere.initrd.equals(site.initrd.subarray(0, site.initrd.length - site.report.keyBytes)));
});

test('a damaged key does not get into a stage-1', async (t) => {
  await assert.rejects(
    buildStage1({ ...(await madeUpPackages(t)), publicKey: 'no key' }),
    /untrusted comment/,
  );
});
