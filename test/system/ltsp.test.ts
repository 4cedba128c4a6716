/** The LTSP plugin against Debian's own LTSP: images published by its applets, ltsp.conf, the menu, and what can be wrong. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../server/temporary-folder.ts';
import { LtspServer } from './support/ltsp-server.ts';

const folder = temporaryFolder('ltsp');
const root = join(import.meta.dirname, '../..');
let server: LtspServer;
before(() => {
  server = new LtspServer(folder);
});

const published = (): string[] =>
  (JSON.parse(server.swarmboot('image', 'list', '--json')) as { name: string; version: string }[]).map(
    ({ name, version }) => `${name} ${version}`,
  );
const assigned = (): string[] =>
  (
    JSON.parse(server.swarmboot('assign', 'list', '--json')) as {
      scope: string;
      key: string;
      image: string | null;
      systemParameters: string | null;
      menuSeconds: number | null;
    }[]
  ).map(({ scope, key, image, systemParameters, menuSeconds }) =>
    [scope, key, image, systemParameters, menuSeconds].join(' ').trim(),
  );
const untouched = (): boolean =>
  readdirSync(server.path('state')).length === 0 && readdirSync(server.path('tftp')).length === 0;

test('shellcheck has nothing to say', () => {
  const scripts = [...globSync('ltsp/**/*.sh', { cwd: root }), 'server/image/initramfs/boot-script.sh'];
  assert.ok(scripts.length >= 9);
  const { status, stdout, stderr } = spawnSync('shellcheck', ['--exclude=SC3043,SC2154,SC2034', ...scripts], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stdout + stderr);
});

test('what is missing is said in one sentence, and nothing is begun', () => {
  const refuse = (sentence: RegExp, ...args: string[]) => {
    const { status, said } = server.ltsp(args);
    assert.match(said, sentence);
    assert.deepEqual([status, untouched()], [1, true]);
  };
  refuse(/There is no release key .*\/config\/release\.sec: run "swarmboot setup" first/, 'swarm', 'publish');
  server.makeKey();
  refuse(/There is no LTSP image in .*\/srv: put a chroot or a virtual machine there/, 'swarm', 'publish');
  refuse(/There is no LTSP image "x86_64" in .*\/srv/, 'swarm', 'publish', 'x86_64');
  refuse(
    /"Lab" cannot be published under that name: it must be 1 to 48 of a-z 0-9/,
    'swarm',
    'publish',
    'Lab',
  );
  server.writeConf('[server]\nNAT=1\n\n[clients]\nHOSTNAME="pc\n# more\n[52:54:00:00:00:01]\nHOSTNAME=x\n');
  const { status, said } = server.ltsp(['swarm', 'publish']);
  assert.match(
    said,
    /ltsp\.conf is broken in section \[clients\], from line 5 on: a quote or a bracket is not closed/,
  );
  assert.deepEqual([status !== 0, untouched()], [true, true]);
  server.writeConf('NAT=1\n');
  assert.match(
    server.ltsp(['swarm', 'publish']).said,
    /ltsp\.conf has no section, .*: put \[server\] or \[clients\] above/,
  );
  server.writeConf('[server]\n');
  const lonely = server.ltsp(['swarm', 'publish'], 'none');
  assert.match(
    lonely.said,
    /This machine has no network interface that LTSP could use: give one an address and a default route/,
  );
  assert.deepEqual([lonely.status !== 0, untouched()], [true, true]);
});

test('a chroot becomes a signed image with LTSP in its initrd', async () => {
  server.makeChroot('x86_64');
  server.writeConf('[clients]\nHOSTNAME=pc01\n');
  const { status, said } = server.ltsp(['swarm', 'publish', 'x86_64']);
  assert.equal(status, 0, said);
  assert.match(said, /Running: ltsp image x86_64\n/);
  assert.match(said, /Running: ltsp initrd\n/);
  assert.equal(published().length, 1);
  const files = server.path('state/images/x86_64/current/files');
  const initrd = readFileSync(globSync(join(files, '**/initrd.img'))[0] ?? '');
  const ltsp = readFileSync(server.path('tftp/ltsp/ltsp.img'));
  const own = Buffer.from('070701 the initrd of the image');
  assert.ok(initrd.subarray(-own.length).equals(own), "the image's own initrd is the last");
  assert.ok(initrd.subarray(0, -own.length).subarray(-ltsp.length).equals(ltsp), 'ltsp.img in front of it');
  assert.ok((initrd.length - own.length) % 4 === 0, 'archives begin at multiples of 4');
  const list = execFileSync('cpio', ['-it', '--quiet'], { input: ltsp, encoding: 'utf8' });
  for (const path of [
    'conf/conf.d/00-ltsp.conf',
    'etc/ltsp/swarm-server',
    'usr/share/ltsp/client/init/44-swarm.sh',
  ])
    assert.ok(list.split('\n').includes(path), `${path} is not in ltsp.img`);
  const squashfs = statSync(globSync(join(files, '**/root.squashfs'))[0] ?? '');
  assert.equal(squashfs.ino, statSync(server.path('srv/images/x86_64.img')).ino, 'one file, not two');
  // Again: nothing is made anew that is there, and a new release is signed.
  await sleep(1100);
  const again = server.ltsp(['swarm', 'publish', 'x86_64']);
  assert.equal(again.status, 0, again.said);
  assert.doesNotMatch(again.said, /Running:/);
  assert.equal(published().length, 2);
  const image = server.ltsp(['image', 'x86_64']);
  assert.equal(image.status, 0, image.said);
  assert.match(image.said, /Running: ltsp kernel [\s\S]*Running: ltsp swarm publish x86_64\n/);
  assert.equal(published().length, 3);
});

test('ltsp.conf chooses, once for each change of it', () => {
  server.writeConf(`[server]
DEFAULT_IMAGE=x86_64
KERNEL_PARAMETERS="quiet splash"
[common]
MENU_TIMEOUT=9500
INCLUDE=nowhere
[52:54:00:00:00:01]
INCLUDE=old_cards
MENU_TIMEOUT=-1
[52:54:00:00:00:02]
DEFAULT_IMAGE=swarm_x86_64
MENU_TIMEOUT=0
[52:54:00:00:00:03]
DEFAULT_IMAGE=windows
HOSTNAME=pc3
[52:54:00:00:00:04]
HOSTNAME=pc4
[old_cards]
KERNEL_PARAMETERS=nomodeset
`);
  const first = server.ltsp(['swarm', 'update']);
  assert.equal(first.status, 0, first.said);
  assert.match(first.said, /DEFAULT_IMAGE=windows \(52:54:00:00:00:03 in ltsp\.conf\) is not published/);
  assert.deepEqual(assigned(), [
    'machine 52:54:00:00:00:01  nomodeset 0',
    'machine 52:54:00:00:00:02 x86_64  3600',
    'default  x86_64 quiet splash 10',
  ]);
  // What somebody chooses in the console stays...
  server.swarmboot('assign', 'set', '--machine', '52:54:00:00:00:01', '--menu-seconds', '30');
  assert.equal(server.ltsp(['swarm', 'update']).status, 0);
  assert.ok(assigned().includes('machine 52:54:00:00:00:01  nomodeset 30'));
  // ... until ltsp.conf says something else of that machine.
  server.writeConf('[server]\nDEFAULT_IMAGE=x86_64\n[52:54:00:00:00:01]\nMENU_TIMEOUT=20000\n');
  const second = server.ltsp(['initrd']);
  assert.equal(second.status, 0, second.said);
  assert.match(second.said, /Running: ltsp swarm update/);
  assert.deepEqual(assigned(), ['machine 52:54:00:00:00:01   20', 'default  x86_64  5']);
});

test('what swarmboot refuses is named, the rest is applied, and tried again', () => {
  server.writeConf('[server]\nKERNEL_PARAMETERS=\'x="y"\'\n[52:54:00:00:00:05]\nMENU_TIMEOUT=4000\n');
  const { status, said } = server.ltsp(['swarm', 'update']);
  assert.equal(status, 1, said);
  assert.match(
    said,
    /Not everything in \/etc\/ltsp\/ltsp\.conf could be applied, .*correct it for: default, then run/,
  );
  assert.ok(assigned().includes('machine 52:54:00:00:00:05   4'));
  server.writeConf('[server]\nKERNEL_PARAMETERS=quiet\n[52:54:00:00:00:05]\nMENU_TIMEOUT=4000\n');
  const again = server.ltsp(['swarm', 'update']);
  assert.equal(again.status, 0, again.said);
  assert.ok(assigned().includes('default   quiet 5'), assigned().join('\n'));
});

test("LTSP's menu gains the images, each time it is made, and an administrator's own is left alone", () => {
  for (let round = 0; round < 2; round++) {
    const { status, said } = server.ltsp(['ipxe', '--binaries=0']);
    assert.equal(status, 0, said);
    assert.match(said, /Added to .*ltsp\.ipxe: x86_64 \(over BitTorrent\)/);
  }
  const menu = server.path('tftp/ltsp/ltsp.ipxe');
  const text = readFileSync(menu, 'utf8');
  assert.equal(text.match(/^item swarm_x86_64 /gm)?.length, 1);
  assert.match(text, /^:swarm_x86_64\nset swarm_image x86_64\ngoto swarm$/m);
  assert.match(
    text,
    /^chain --autofree --replace http:\/\/\$\{srv\}:7080\/ipxe\?mac=\$\{mac\}&.*&picked=\$\{swarm_image\} \|\| goto failed$/m,
  );
  assert.match(text, /^item --key 1 x86_64 /m, "LTSP's own entry is there too");
  writeFileSync(menu, '#!ipxe\necho mine\n');
  assert.equal(server.ltsp(['--overwrite=0', 'ipxe', '--binaries=0']).status, 0);
  assert.equal(readFileSync(menu, 'utf8'), '#!ipxe\necho mine\n');
});

test('ltsp swarm build makes an image where there was none, with what LTSP needs in it', () => {
  // An image takes minutes to build, and that is tested elsewhere: here its files are made up, and all else is real.
  const [stub, asked] = [server.path('stub'), server.path('asked')];
  server.makeChroot('made-up');
  const chroot = server.path('srv/made-up');
  writeFileSync(
    stub,
    `#!/bin/sh
[ "$2" = build ] || exec ${server.program} "$@"
echo "$*" >${asked}
while [ "$1" != --files ]; do shift; done
mkdir -p "$2"; cp ${chroot}/boot/vmlinuz-* "$2/vmlinuz"; cp ${chroot}/boot/initrd.img-* "$2/initrd.img"
mksquashfs ${chroot} "$2/root.squashfs" -quiet -no-progress -wildcards -e 'boot/*'
`,
    { mode: 0o755 },
  );
  const command = server.program;
  server.program = stub;
  try {
    assert.match(
      server.ltsp(['swarm', 'build', 'made-up']).said,
      /There is a chroot or a virtual machine "made-up" in .*\/srv, .*: take another name/,
    );
    assert.match(server.ltsp(['swarm', 'build', 'Desk']).said, /"Desk" cannot be published under that name/);
    assert.ok(!existsSync(asked), 'nothing was built');
    const { status, said } = server.ltsp([
      'swarm',
      'build',
      'desk',
      '--suite',
      'trixie',
      '--include=openbox',
    ]);
    assert.equal(status, 0, said);
    assert.match(
      readFileSync(asked, 'utf8'),
      /^image build --name desk --files \S+ --include ltsp,busybox,openssh-client,sshfs --suite trixie --include=openbox\n$/,
    );
  } finally {
    server.program = command;
  }
  assert.ok(published().some((release) => release.startsWith('desk ')));
  assert.deepEqual(globSync('.swarm.*', { cwd: server.path('srv/images') }), [], 'nothing is left over');
  // Later publications need no kernel from the squashfs, which has none.
  const again = server.ltsp(['swarm', 'publish', 'desk']);
  assert.equal(again.status, 0, again.said);
  assert.doesNotMatch(again.said, /ltsp kernel/);
});
