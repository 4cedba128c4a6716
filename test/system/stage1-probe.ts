/** Takes the agent's place in the boot test of stage-1: says what it finds there, then dies the hard way. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const COMMAND_TIMEOUT_MS = 25_000;
const say = (name: string, value: unknown): void => console.log(`probe: ${name} ${JSON.stringify(value)}`);
const read = (path: string): string => readFileSync(path, 'utf8').trim();

function sh(command: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    encoding: 'utf8',
    timeout: COMMAND_TIMEOUT_MS,
  });
  return { status, output: `${stdout}${stderr}`.trim() };
}

const loaded = (): string[] => [...read('/proc/modules').matchAll(/^\S+/gm)].map(([name]) => name);
const drivers = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync('/sys/class/net')
      .filter((name) => existsSync(`/sys/class/net/${name}/device/driver/module`))
      .map((name) => [sh(`basename $(readlink /sys/class/net/${name}/device/driver)`).output, name]),
  );

say('uptime', Number(read('/proc/uptime').split(' ')[0]));
say('arguments', process.argv.slice(2));
say('modules', loaded());
say('drivers', drivers());
say('loopback', read('/sys/class/net/lo/flags'));
const regions = existsSync('/sys/bus/nd/devices') ? readdirSync('/sys/bus/nd/devices') : [];
say(
  'regions',
  regions
    .filter((name) => name.startsWith('region'))
    .map((name) => [
      read(`/sys/bus/nd/devices/${name}/resource`),
      Number(read(`/sys/bus/nd/devices/${name}/size`)),
    ]),
);
say('pmem0', existsSync('/dev/pmem0'));
say('key', read('/etc/swarmboot/release.pub'));
say('kexec', sh('kexec --version'));
say('image-modules', sh('modprobe -a loop squashfs overlay'));
say('panic', read('/proc/sys/kernel/panic'));

// A lease from QEMU's own DHCP server, by virtio_net.
const nic = drivers().virtio_net ?? '';
sh(`ip link set ${nic} up`);
say('lease', sh(`timeout 20 udhcpc -i ${nic} -n -q -f -s /bin/true`));
say('address', sh(`ip addr add 10.0.2.15/24 dev ${nic} && ip addr show dev ${nic}`));
say('gateway', sh('ping -c 1 -W 5 10.0.2.2'));

// Orphans become children of PID 1, and it must collect them.
sh('(sleep 1 &)');
sh('sleep 3');
say('zombies', sh("ps -o pid,stat,comm | grep ' Z'").output);

// USB devices come late: PID 1 still loads their driver.
for (let tries = 0; tries < 20 && !drivers().cdc_ether; tries++) sh('sleep 1');
say('late-drivers', drivers());

process.kill(process.pid, 'SIGKILL');
