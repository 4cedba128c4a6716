/**
 * A machine with Debian's own LTSP and the plugin on it, as far as LTSP can tell: a network and a mount namespace in which
 * /etc/ltsp is a folder of the test. LTSP finds its programs beside the file that is run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const SWARMBOOT = join(ROOT, 'bin/swarmboot');
const LIMIT_MS = 120_000;
const KERNEL_RELEASE = '6.12.48+deb13-amd64';

export interface LtspAnswer {
  readonly status: number | null;
  /** Standard output and error, in the order in which they were written. */
  readonly said: string;
}

export class LtspServer {
  readonly folder: string;
  /** What the applets take for the command. */
  program = SWARMBOOT;

  constructor(folder: string) {
    this.folder = folder;
    // The package of this machine's Debian, checked by apt, unpacked but not installed: its triggers would have this
    // machine make itself an initrd for LTSP.
    const downloads = this.path('debian');
    mkdirSync(downloads);
    execFileSync('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', 'ltsp'], {
      cwd: downloads,
      timeout: LIMIT_MS,
      stdio: 'pipe',
    });
    const [deb = ''] = readdirSync(downloads);
    execFileSync('dpkg-deb', ['-x', join(downloads, deb), downloads], { timeout: LIMIT_MS, stdio: 'pipe' });
    cpSync(join(downloads, 'usr/share/ltsp'), this.path('ltsp'), { recursive: true });
    cpSync(join(ROOT, 'ltsp'), this.path('ltsp'), { recursive: true });
    for (const name of ['etc/ltsp', 'work', 'srv', 'tftp', 'state', 'config'])
      mkdirSync(this.path(name), { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  writeConf(text: string): void {
    writeFileSync(this.path('etc/ltsp/ltsp.conf'), text);
  }

  /** A chroot that is as much of a Debian as `ltsp image` and `swarmboot image import` look at. */
  makeChroot(name: string): void {
    const at = (path: string) => join(this.folder, 'srv', name, path);
    const modules = `usr/lib/modules/${KERNEL_RELEASE}`;
    for (const path of ['proc', 'etc', 'boot', 'tmp', 'var/log', 'var/cache/debconf', `${modules}/kernel`])
      mkdirSync(at(path), { recursive: true });
    for (const [file, text] of [
      ['passwd', 'root:x:0:0:root:/root:/bin/bash\n'],
      ['shadow', 'root:*:19000:0:99999:7:::\n'],
      ['group', 'root:x:0:\n'],
      ['gshadow', 'root:*::\n'],
      ['fstab', '/dev/sda1 / ext4 defaults 0 1\n'],
    ])
      writeFileSync(at(`etc/${file}`), text ?? '');
    const kernel = Buffer.alloc(0x4000);
    kernel.write('HdrS', 0x202, 'latin1');
    kernel.writeUInt16LE(0x3000 - 0x200, 0x20e);
    kernel.writeUInt16LE(1, 0x236);
    kernel.write(`${KERNEL_RELEASE} (debian-kernel@lists.debian.org) #1 SMP\0`, 0x3000, 'latin1');
    writeFileSync(at(`boot/vmlinuz-${KERNEL_RELEASE}`), kernel);
    writeFileSync(at(`boot/initrd.img-${KERNEL_RELEASE}`), '070701 the initrd of the image');
    const names = ['libnvdimm', 'nd_pmem', 'nd_e820', 'squashfs', 'overlay', 'loop'];
    for (const module of names) writeFileSync(at(`${modules}/kernel/${module}.ko`), module);
    writeFileSync(at(`${modules}/modules.dep`), names.map((module) => `kernel/${module}.ko:\n`).join(''));
    writeFileSync(at(`${modules}/modules.builtin`), '');
  }

  makeKey(): void {
    execFileSync(SWARMBOOT, ['key', 'generate', '--config', this.path('config')], {
      timeout: LIMIT_MS,
      stdio: 'pipe',
    });
  }

  swarmboot(...args: readonly string[]): string {
    const argv = [...args, '--state', this.path('state')];
    return execFileSync(SWARMBOOT, argv, { encoding: 'utf8', timeout: LIMIT_MS, stdio: 'pipe' });
  }

  /** Runs `ltsp ARGS`; `none` gives it no interface but lo. */
  ltsp(
    args: readonly string[],
    network: { readonly address: string } | 'none' = { address: '10.77.0.1/24' },
  ): LtspAnswer {
    const links =
      network === 'none'
        ? ''
        : `ip link add e0 type veth peer name e1
           ip address add ${network.address} dev e0
           ip link set e0 up; ip link set e1 up
           ip route add default via 10.77.0.254`;
    const script = `set -e
      mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" /etc
      mount -t sysfs sysfs /sys
      ip link set lo up
      ${links}
      # By the environment, not by options: applets that LTSP starts from applets do not get the latter.
      export BASE_DIR="$1/srv" TFTP_DIR="$1/tftp"
      export SWARMBOOT="$2" SWARM_STATE="$1/state" SWARM_CONFIG="$1/config"
      at=$1; shift 2
      exec "$at/ltsp/ltsp" "$@" 2>&1`;
    const argv = ['--mount', '--net', 'sh', '-c', script, 'sh', this.folder, this.program, ...args];
    const { status, stdout, stderr, error } = spawnSync('unshare', argv, {
      encoding: 'utf8',
      timeout: LIMIT_MS,
    });
    if (error) throw error;
    return { status, said: stdout + stderr };
  }
}
