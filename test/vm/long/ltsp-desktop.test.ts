/**
 * A room with an LTSP server that was there first: DHCP is the router's, netbooting and the menu are LTSP's own, and
 * swarmboot joins them. The image is one of `swarmboot image build`, and what a client shows in the end is a greeter,
 * where a user of the server logs in to a desktop.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AcceleratorDecision, chooseAccelerator } from '../../../qemu/accel.ts';
import { HANDED_OVER } from '../../../qemu/boot-to-login.ts';
import { waitForLogin } from '../../../qemu/login.ts';
import { machineMac } from '../../../qemu/network-plan.ts';
import { Screen, shareOf } from '../../../qemu/screen.ts';
import { prepareFor, STAGE1 } from '../prepare.ts';
import { buildFor } from './package/built-image.ts';
import { makeLtspSite, PUPIL } from './package/ltsp-site.ts';
import {
  CACHE,
  install,
  LOGIN_TIMEOUT_MS,
  prepareServer,
  STEP_MS,
  withServer,
} from './package/server-lab.ts';

/** GTK, emulated, on one processor. */
const GREETER_TIMEOUT_MS = 6 * 60_000;
const DESKTOP_TIMEOUT_MS = 4 * 60_000;
const LOOK_EVERY_MS = 5_000;
const MEMORY_MIB = 3072;
/** As docs/admin/ltsp.md has it. */
const PACKAGES = [
  ...['lightdm', 'lightdm-gtk-greeter', 'openbox', 'xterm', 'libpam-systemd', 'fonts-dejavu-core'],
  ...['xserver-xorg-core', 'xserver-xorg-input-libinput'],
];
/** What the greeter is drawn on: nothing else on a screen has this colour. */
const BLUE = 0x204060;
const LTSP_CONF = `[server]
DEFAULT_IMAGE=swarm_desk
MENU_TIMEOUT=4000
[clients]
HOSTNAME="pc%{MAC}"
LIGHTDM_CONF="greeter-hide-users=true"
POST_INIT_GREETER="printf '[greeter]\\nbackground=#204060\\n' >/etc/lightdm/lightdm-gtk-greeter.conf"
[${machineMac(0)}]
HOSTNAME=front-desk
`;
/** Openbox runs it when the session begins: it is in the home, which is on the server. */
const AUTOSTART = `xterm -fullscreen -bg '#603020' &
echo "display=$DISPLAY type=$XDG_SESSION_TYPE name=$(hostname) home=$(stat -fc %T ~) root=$(awk '$3 == "squashfs" { print $1 }' /proc/mounts)" >~/desktop
`;

let host: AcceleratorDecision;
let built: ReturnType<typeof buildFor>;

before(async () => {
  prepareFor('amd64');
  host = await chooseAccelerator('auto', join(STAGE1, 'vmlinuz'));
  await prepareServer('bookworm');
  // Without the seeder the root is packed once; seeding.test.ts has that.
  const packages = ['ltsp', 'busybox', 'openssh-client', 'sshfs', ...PACKAGES].join(',');
  built = buildFor(join(CACHE, 'ltsp-desk'), ['--name', 'desk', '--no-seed', '--include', packages]);
});

test("through LTSP's menu to a desktop, from an image of swarmboot image build", async () => {
  const site = { name: 'desk', suite: 'bookworm', siteDhcp: true } as const;
  const options = { ...site, accelerator: host.accelerator, files: [built] };
  await withServer(options, async ({ server, powerOn, folder: here }) => {
    // The LTSP server as it was.
    await server.must('apt-get -qy --no-install-recommends install ltsp dnsmasq ipxe');
    await makeLtspSite(server, { conf: LTSP_CONF, home: { '.config/openbox/autostart': AUTOSTART } });
    await server.must('ltsp dnsmasq --real-dhcp=0 && ltsp initrd && ltsp ipxe');
    const dnsmasq = await server.must('cat /etc/dnsmasq.d/*');

    // What its administrator does: the package's one question is answered, and two commands.
    await server.must('echo swarmboot-server swarmboot-server/interface string br0 | debconf-set-selections');
    const installed = await server.must(
      install('swarmboot-server', 'swarmboot-stage1-amd64', 'ltsp-swarmboot'),
    );
    assert.match(installed, /ltsp-dnsmasq\.conf is LTSP's: DHCP and TFTP stay as they are/);
    const made = await server.must(`ltsp swarm build desk --no-seed --include ${PACKAGES.join(',')}`);
    assert.match(made, /Taking the build of [\d.]+ hours ago/);
    assert.match(await server.must('ltsp ipxe'), /Added to .*: desk \(over BitTorrent\)/);
    assert.equal(await server.must('cat /etc/dnsmasq.d/*'), dnsmasq, "LTSP's DHCP is as it was");
    const doctor = await server.run('swarmboot doctor');
    assert.match(doctor.said, /LTSP has DHCP, and its menu .* leads here/);
    assert.match(doctor.said, /swarmboot: machines can boot/, doctor.said);

    const pictures = process.env.SWARMBOOT_PICTURES ?? here;
    const machine = powerOn(0, { memoryMiB: MEMORY_MIB, screen: true });
    const screen = await Screen.connect(machine.screenSocket ?? '');
    try {
      await machine.expect(/iPXE boot menu[\s\S]*desk\.img, each machine gives/, {
        ...{ from: 0, timeoutMs: STEP_MS },
      });
      const handover = await machine.expect(HANDED_OVER, { from: 0, timeoutMs: LOGIN_TIMEOUT_MS });
      await waitForLogin(machine, handover.end, LOGIN_TIMEOUT_MS);
      const blue = async (): Promise<number> => shareOf(await screen.look(join(here, 'now.ppm')), BLUE);
      const until = async (what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> => {
        const deadline = performance.now() + timeoutMs;
        while (!(await holds())) {
          if (performance.now() > deadline) {
            await screen.look(join(pictures, 'last.ppm'), true);
            throw new Error(`Not after ${timeoutMs / 60_000} minutes: ${what}`);
          }
          await sleep(LOOK_EVERY_MS);
        }
      };
      await until('the greeter is on the screen', GREETER_TIMEOUT_MS, async () => (await blue()) > 0.3);
      await sleep(LOOK_EVERY_MS); // its fields are drawn on the colour
      await screen.look(join(pictures, 'greeter.ppm'), true);
      await screen.type(`${PUPIL.user}\n`);
      await sleep(LOOK_EVERY_MS);
      await screen.type(`${PUPIL.password}\n`);
      let facts = '';
      await until('the desktop has written to the home', DESKTOP_TIMEOUT_MS, async () => {
        facts = (await server.run('cat /home/pupil/desktop')).said;
        return facts.startsWith('display=');
      });
      // Openbox adds the number of the screen.
      assert.match(facts, /^display=:0(\.0)? type=x11 name=front-desk home=fuse root=\/dev\/pmem0$/m);
      await until('the desktop is on the screen', DESKTOP_TIMEOUT_MS, async () => {
        const picture = await screen.look(join(here, 'now.ppm'));
        return shareOf(picture, BLUE) === 0 && shareOf(picture, 0x603020) > 0.3;
      });
      await screen.look(join(pictures, 'desktop.ppm'), true);
    } finally {
      screen.close();
    }
  });
});
