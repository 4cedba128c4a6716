/**
 * An ARM64 machine, UEFI and emulated, from power-on to the kernel of the image, which runs from the RAM that stage-1
 * filled. The image is a kernel and a busybox: to install a Debian for ARM64 takes twenty minutes of emulation here.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { withDirectories, writeCpio } from '../../../contract/cpio.ts';
import { bootLoaders } from '../../../qemu/boot-loaders.ts';
import { type LabOptions, withLab } from '../../../qemu/lab.ts';
import { loadSecretKey } from '../../../server/catalog/keys.ts';
import { publishRelease } from '../../../server/catalog/publish.ts';
import { expectKernelRefused, SHORT_COUNTDOWN } from '../kernel-refused.ts';
import { CONFIG, prepareFor, STAGE1_CACHE, STATE } from '../prepare.ts';

const IMAGE = 'busybox-arm64';
const MEMORY_MIB = 1536;
/** For a busy two-core machine. */
const BOOT_MS = 300_000;
const ROOT_BYTES = 20 * 2 ** 20;

/** Says what the second kernel is, and what it found of the root image where the cpio strategy puts it. */
const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
exec >/dev/console 2>&1
echo "second kernel: $(/bin/busybox uname -r -m)"
echo "root image: $(/bin/busybox sha256sum /swarmboot/root.squashfs)"
while :; do /bin/busybox sleep 60; done
`;

describe('an ARM64 machine', () => {
  let loaders: string;
  let state: string | undefined;
  const root = Buffer.alloc(ROOT_BYTES, 'not a squashfs, and nobody mounts it. ');

  before(async () => {
    prepareFor('arm64');
    loaders = await bootLoaders('arm64');
    state = mkdtempSync(join(tmpdir(), 'swarmboot-arm64-'));
    const stage1 = join(state, 'stage1/arm64');
    cpSync(join(STATE, 'stage1/arm64'), stage1, { recursive: true });
    const [busybox] = globSync(join(STAGE1_CACHE, 'packages-*-arm64-*/usr/bin/busybox'));
    assert.ok(busybox, 'stage-1 was built from it');
    const { kernelRelease } = JSON.parse(readFileSync(join(stage1, 'report.json'), 'utf8')) as {
      kernelRelease: string;
    };
    const initrd = writeCpio(
      withDirectories([
        { kind: 'file', path: 'bin/busybox', mode: 0o755, bytes: readFileSync(busybox) },
        { kind: 'file', path: 'init', mode: 0o755, bytes: Buffer.from(INIT) },
        { kind: 'directory', path: 'proc', mode: 0o555 },
        { kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
      ]),
      0,
    );
    await publishRelease(
      state,
      {
        ...{ name: IMAGE, arch: 'arm64', kernelRelease, expiresDays: 1, strategies: ['cpio'] },
        cmdline: 'console=ttyAMA0,115200 panic=30',
        place: async (folder) => {
          cpSync(join(stage1, 'vmlinuz'), join(folder, 'vmlinuz'));
          writeFileSync(join(folder, 'initrd.img'), initrd);
          writeFileSync(join(folder, 'root.squashfs'), root);
        },
      },
      loadSecretKey(CONFIG),
      Date.now(),
    );
  });
  after(() => {
    if (state !== undefined) rmSync(state, { recursive: true, force: true });
  });

  const options = (): LabOptions => ({
    ...{ machines: 1, arch: 'arm64', firmware: 'uefi', accelerator: 'tcg', memoryMiB: MEMORY_MIB },
    ...{ state: state ?? '', config: CONFIG, image: IMAGE, debianRoot: loaders },
    serverArguments: SHORT_COUNTDOWN,
  });

  it('hands over through iPXE, stage-1 and kexec, the image in RAM byte for byte', async (context) => {
    await withLab(options(), async (lab) => {
      const machine = lab.powerOn(0);
      const memory = await machine.expect(/memory: (\S+) MiB used at most, planned with (\S+) MiB/, {
        timeoutMs: BOOT_MS,
      });
      context.diagnostic(memory.match[0]);
      assert.ok(Number(memory.match[1]) <= Number(memory.match[2]), memory.match[0]);
      await machine.expect(/^swarmboot: phase handoff: end ok .*cpio/m, { timeoutMs: BOOT_MS });
      const { match } = await machine.expect(/^second kernel: (.*)\nroot image: (\S+) /m, {
        timeoutMs: BOOT_MS,
      });
      assert.match(match[1] ?? '', /-arm64 aarch64$/);
      assert.equal(match[2], createHash('sha256').update(root).digest('hex'));
      const log = readFileSync(join(lab.folder, 'dnsmasq.log'), 'utf8');
      assert.match(log, /vendor class: PXEClient:Arch:00011:/);
      assert.match(log, /sent \S*\/ipxe-arm64\.efi to /);
    });
  });

  it('with Secure Boot on: finds stage-1 through shim and GRUB, and says why it goes no further', async () => {
    await withLab({ ...options(), firmware: 'secureboot' }, async (lab) => {
      const machine = lab.powerOn(0);
      const said = await expectKernelRefused(lab, machine, BOOT_MS);
      assert.match(said, /ARM64 kernel.*is locked down/);
      const log = readFileSync(join(lab.folder, 'dnsmasq.log'), 'utf8');
      for (const name of ['shimaa64', 'grubaa64'])
        assert.match(log, new RegExp(`sent \\S*/${name}\\.efi to `));
    });
  });
});
