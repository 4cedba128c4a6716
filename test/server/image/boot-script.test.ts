/** Runs the boot script with stand-ins for the commands of the initramfs, and looks at what it would do. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const script = join(import.meta.dirname, '../../../server/image/initramfs/boot-script.sh');

/** `cmdline` as /proc/cmdline; `stubs` are shell functions that replace commands. Returns what was called and said. */
function runMountroot(cmdline: string, stubs = ''): string {
  const harness = `
    . "${script}"
    rootmnt=/root
    cat() { echo '${cmdline}'; }
    wait_for_udev() { :; }
    sleep() { echo "sleep $1"; }
    mkdir() { :; }
    mount() { echo "mount $*"; }
    umount() { echo "umount $*"; }
    losetup() { echo "losetup $*"; }
    chroot() { echo "chroot $*"; }
    SWARMBOOT_BUSES=/nowhere
    panic() { echo "panic: $*"; exit 7; }
    # [ -b ] and [ -f ] of devices that are not on this machine
    [() { case "$1 $2" in "-b /dev/pmem0"|"-b /dev/loop0"|"-f /swarmboot/root.squashfs"|"-e /sys/firmware/initrd") return 0 ;; "! -b") command [ "$3" != /dev/pmem0 ] && command [ "$3" != /dev/loop0 ] ;; "! -e") command [ "$3" != /sys/firmware/initrd ] && ! command [ -e "$3" ] ;; "! -f") command [ "$3" != /swarmboot/root.squashfs ] ;; *) command [ "$@" ;; esac; }
    ${stubs}
    mountroot`;
  try {
    return execFileSync('bash', ['-c', harness], { encoding: 'utf8', timeout: 10_000 });
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    assert.equal(status, 7, `the script ended with status ${status}: ${stdout}`);
    return stdout;
  }
}

test('pmem: squashfs from the device, tmpfs over it', () => {
  const output = runMountroot('quiet boot=swarmboot swarmboot.root=pmem:/dev/pmem0 memmap=128M!1G');
  assert.match(output, /^mount -t squashfs -o ro \/dev\/pmem0 \/run\/swarmboot\/image$/m);
  assert.match(
    output,
    /^mount -t overlay -o lowerdir=\/run\/swarmboot\/image,upperdir=\S+,workdir=\S+ swarmboot \/root$/m,
  );
  assert.doesNotMatch(output, /losetup|panic/);
});

test("file: a loop device, with klibc's losetup that has no -r too", () => {
  const cmdline = 'boot=swarmboot swarmboot.root=file:/swarmboot/root.squashfs root=tmpfs';
  assert.match(runMountroot(cmdline), /^mount -t squashfs -o ro \/dev\/loop0 /m);
  const klibc = 'losetup() { case $1 in -r) return 1 ;; esac; echo "losetup $*"; }';
  assert.match(runMountroot(cmdline, klibc), /^losetup -o 0 \/dev\/loop0 \/swarmboot\/root\.squashfs$/m);
});

test("LTSP's part in the initrd: it gets the device and the network, and mounts by itself", () => {
  const part =
    'SWARMBOOT_LTSP=/dev/null; configure_networking() { echo "ipconfig, then $(command cat "$noted")"; }';
  const note = mkdtempSync(join(tmpdir(), 'swarmboot-boot-script-'));
  try {
    const output = runMountroot(
      'swarmboot.root=pmem:/dev/pmem0',
      `${part}\nnoted=${note}/device\nSWARMBOOT_NOTE=$noted`,
    );
    assert.match(output, /^ipconfig, then \/dev\/pmem0$/m);
    assert.doesNotMatch(output, /^mount/m);
    assert.match(output, /root is pmem:\/dev\/pmem0, for LTSP to mount/);
  } finally {
    rmSync(note, { recursive: true, force: true });
  }
});

test('the drivers of network cards, and of no other device, are loaded from the image', () => {
  const buses = mkdtempSync(join(tmpdir(), 'swarmboot-buses-'));
  const device = (path: string, files: Record<string, string>): void => {
    const folder = join(buses, path);
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
  };
  device('pci/devices/0000:00:01.0', { class: '0x020000', modalias: 'pci:network' });
  device('pci/devices/0000:00:02.0', { class: '0x030000', modalias: 'pci:display' });
  device('virtio/devices/virtio0', { modalias: 'virtio:d00000001v00001AF4' });
  const stubs = `
    SWARMBOOT_BUSES=${buses}
    cat() { case $1 in /proc/cmdline) echo swarmboot.root=pmem:/dev/pmem0 ;; *) command cat "$@" ;; esac; }`;
  try {
    assert.deepEqual(
      runMountroot('', stubs)
        .split('\n')
        .filter((line) => line.startsWith('chroot ')),
      [
        'chroot /run/swarmboot/image /usr/bin/timeout 10 /sbin/modprobe -qab pci:network',
        'chroot /run/swarmboot/image /usr/bin/timeout 10 /sbin/modprobe -qab virtio:d00000001v00001AF4',
      ],
    );
  } finally {
    rmSync(buses, { recursive: true, force: true });
  }
});

test('a machine with a name of its own: it stands in the layer that changes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-name-'));
  try {
    mkdirSync(join(folder, 'upper/etc'), { recursive: true });
    mkdirSync(join(folder, 'etc'));
    writeFileSync(join(folder, 'etc/hosts'), '127.0.0.1 localhost\n');
    const stubs = `
      SWARMBOOT_IMAGE=${folder}
      SWARMBOOT_CHANGES=${folder}
      cat() { case $1 in /proc/cmdline) echo swarmboot.root=pmem:/dev/pmem0 swarmboot.hostname=pc01 ;; *) command cat "$@" ;; esac; }`;
    runMountroot('', stubs);
    assert.equal(readFileSync(join(folder, 'upper/etc/hostname'), 'utf8'), 'pc01\n');
    assert.equal(
      readFileSync(join(folder, 'upper/etc/hosts'), 'utf8'),
      '127.0.1.1 pc01\n127.0.0.1 localhost\n',
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the lease of stage-1 is there before DHCP, for images that let systemd-networkd ask by MAC address', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-lease-'));
  const written = (lease: string): string => {
    const stubs = `
      SWARMBOOT_IMAGE=${folder}
      SWARMBOOT_LEASE=${folder}/run
      cat() { case $1 in /proc/cmdline) echo swarmboot.root=pmem:/dev/pmem0 BOOTIF=01-52-54-00-aa-00-06 swarmboot.lease=${lease} ;; *) command cat "$@" ;; esac; }`;
    runMountroot('', stubs);
    return readFileSync(join(folder, 'run/79-swarmboot-lease.network'), 'utf8');
  };
  try {
    mkdirSync(join(folder, 'run'));
    assert.throws(() => written('10.0.0.5/24,10.0.0.1'), { code: 'ENOENT' }, 'another image');
    mkdirSync(join(folder, 'etc/systemd/network'), { recursive: true });
    writeFileSync(join(folder, 'etc/systemd/network/80-swarmboot-wired.network'), '');
    assert.equal(
      written('10.0.0.5/24,10.0.0.1,10.0.0.3,10.0.0.4'),
      '[Match]\nMACAddress=52-54-00-aa-00-06\nKind=!*\n[Network]\nDHCP=yes\nAddress=10.0.0.5/24\n' +
        'Gateway=10.0.0.1\nDNS=10.0.0.3\nDNS=10.0.0.4\n[DHCPv4]\nClientIdentifier=mac\n',
    );
    for (const alone of ['10.0.0.5/24,', '10.0.0.5/24'])
      assert.match(written(alone), /Address=10\.0\.0\.5\/24\n\[DHCPv4\]/, 'neither router nor name server');
    assert.match(written('10.0.0.5/24,,10.0.0.3'), /\nAddress=10\.0\.0\.5\/24\nDNS=10\.0\.0\.3\n/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the card has that address before the real system starts, by the ip of the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-card-'));
  const card = (name: string, address: string, isDevice: boolean) => {
    mkdirSync(join(folder, 'cards', name), { recursive: true });
    writeFileSync(join(folder, 'cards', name, 'address'), `${address}\n`);
    if (isDevice) writeFileSync(join(folder, 'cards', name, 'device'), '');
  };
  const output = () =>
    runMountroot(
      '',
      `SWARMBOOT_CARDS=${folder}/cards
      SWARMBOOT_IMAGE=${folder}
      SWARMBOOT_LEASE=${folder}/run
      cat() { case $1 in /proc/cmdline) echo swarmboot.root=pmem:/dev/pmem0 BOOTIF=01-52-54-00-aa-00-06 swarmboot.lease=10.0.0.5/24,10.0.0.1 ;; *) command cat "$@" ;; esac; }`,
    );
  try {
    mkdirSync(join(folder, 'run'));
    card('enp0s1', '52:54:00:aa:00:05', true);
    card('enp0s1.7', '52:54:00:aa:00:06', false);
    card('enp0s2', '52:54:00:aa:00:06', true);
    assert.doesNotMatch(output(), /bin\/ip/, 'another image');
    mkdirSync(join(folder, 'etc/systemd/network'), { recursive: true });
    writeFileSync(join(folder, 'etc/systemd/network/80-swarmboot-wired.network'), '');
    const ip = output().match(/^chroot .*\/bin\/ip .*$/gm);
    assert.deepEqual(ip, [
      `chroot ${folder} /bin/ip link set dev enp0s2 up`,
      `chroot ${folder} /bin/ip address add 10.0.0.5/24 dev enp0s2`,
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('an agent that was brought along is mounted from behind the root, unless the image has one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-brought-'));
  try {
    writeFileSync(join(folder, 'agent-offset'), '4096\n');
    const stubs = `
      SWARMBOOT_BROUGHT=${folder}/agent-offset
      SWARMBOOT_IMAGE=${folder}
      cat() { case $1 in /proc/cmdline) echo swarmboot.root=pmem:/dev/pmem0 ;; *) command cat "$@" ;; esac; }
      mount() { echo "mount $*"; case $* in */run/swarmboot/agent) return 1 ;; esac; }`;
    const mounted =
      /^losetup -o 4096 \/dev\/loop1 \/dev\/pmem0\nmount -t squashfs -o ro \/dev\/loop1 \/run\/swarmboot\/agent$/m;
    const output = runMountroot('', stubs);
    assert.match(output, mounted);
    assert.match(output, /changes stay in RAM/, 'a favour that fails does not stop the boot');
    mkdirSync(join(folder, 'usr/lib/swarmboot'), { recursive: true });
    writeFileSync(join(folder, 'usr/lib/swarmboot/swarmboot-agent'), '');
    assert.doesNotMatch(runMountroot('', stubs), mounted);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("Debian Live: live-boot's own functions configure the real system, where boot=live is", () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-live-'));
  try {
    const live = join(folder, 'live-boot');
    const said =
      'Cmdline_old() { echo "old"; }; Fstab() { echo fstab; panic() { :; }; }; Netbase() { echo net; }';
    writeFileSync(live, said);
    mkdirSync(join(folder, 'root/etc/network'), { recursive: true });
    const stubs = `SWARMBOOT_LIVE=${live}\nrootmnt=${folder}/root`;
    const pmem = 'swarmboot.root=pmem:/dev/pmem0';
    assert.match(runMountroot(`boot=live ${pmem} boot=swarmboot`, stubs), /^old\nfstab\nnet$/m);
    assert.doesNotMatch(runMountroot(`${pmem} boot=swarmboot`, stubs), /fstab/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('initrd: a loop device over what the kernel keeps, through a file system that is read-only', () => {
  const output = runMountroot('boot=swarmboot swarmboot.root=initrd:8192 retain_initrd');
  assert.match(
    output,
    /^mount -t sysfs -o ro sysfs \/run\/swarmboot\/sys\nlosetup -r -o 8192 \/dev\/loop0 \/run\/swarmboot\/sys\/firmware\/initrd$/m,
  );
  assert.match(output, /^mount -t squashfs -o ro \/dev\/loop0 /m);
  assert.doesNotMatch(output, /panic/);
});

test('a sealed root: dm-verity over the device, with the tree behind the squashfs', () => {
  const hash = '5a'.repeat(32);
  const cmdline = `swarmboot.root=pmem:/dev/pmem0 swarmboot.verity=${hash}:25600 root=swarmboot`;
  const dmsetup = 'dmsetup() { case $1 in info) echo dm-3 ;; *) echo "dmsetup $*" ;; esac; }';
  const output = runMountroot(cmdline, dmsetup);
  assert.match(
    output,
    new RegExp(
      `^dmsetup create swarmboot-root --readonly .*--table 0 204800 verity 1 /dev/pmem0 /dev/pmem0 4096 4096 25600 25600 sha256 ${hash} -$`,
      'm',
    ),
  );
  assert.match(output, /^mount -t squashfs -o ro \/dev\/dm-3 /m);
  assert.match(
    output,
    /root is pmem:\/dev\/pmem0, changes stay in RAM, each block is checked when it is read/,
  );

  assert.match(
    runMountroot(cmdline, 'dmsetup() { return 1; }'),
    /panic: .*dm-verity does not take \/dev\/pmem0; are dmsetup and the kernel module dm-verity/,
  );
  const unmountable = 'mount() { case $* in *squashfs*) return 1 ;; esac; }';
  assert.match(
    runMountroot(cmdline.replace('pmem:/dev/pmem0', 'initrd:8192'), `${dmsetup}\n${unmountable}`),
    /^dmsetup remove --noudevsync swarmboot-root\nlosetup -d \/dev\/loop0$/m,
    'another attempt finds the devices free',
  );
  const coverless = 'mount() { case $* in *overlay*) return 1 ;; esac; }';
  assert.match(
    runMountroot(cmdline.replace('pmem:/dev/pmem0', 'initrd:8192'), `${dmsetup}\n${coverless}`),
    /^umount \/run\/swarmboot\/image\ndmsetup remove --noudevsync swarmboot-root\nlosetup -d \/dev\/loop0$/m,
    'so it does when the overlay fails',
  );
});

test('every failure says what is wrong, in one sentence, through panic', () => {
  const pmem = 'swarmboot.root=pmem:/dev/pmem0';
  assert.match(
    runMountroot('quiet'),
    /panic: swarmboot: cannot mount the root image: swarmboot\.root="" is none of/,
  );
  assert.match(runMountroot('swarmboot.root=nfs:/x'), /panic: .*swarmboot\.root="nfs:\/x" is none of/);
  assert.match(runMountroot('swarmboot.root=file:/gone'), /panic: .*\/gone is not in this initramfs/);
  assert.match(
    runMountroot(pmem, 'mount() { case $* in *squashfs*) return 1 ;; esac; }'),
    /panic: .*\/dev\/pmem0 holds no squashfs/,
  );
  assert.match(
    runMountroot(pmem, 'mount() { case $* in *overlay*) return 1 ;; esac; }'),
    /panic: .*is the kernel module overlay missing/,
  );
});

test('a device that never comes: thirty seconds of waiting, said once, then panic', () => {
  const output = runMountroot('swarmboot.root=pmem:/dev/pmem7');
  assert.equal(output.match(/^sleep 1$/gm)?.length, 30);
  assert.equal(output.match(/waiting for \/dev\/pmem7, at most 30 seconds/g)?.length, 1);
  assert.match(output, /panic: .*\/dev\/pmem7 has not appeared after 30 seconds; is memmap=/);
});
