/** The whole boot, on the machine of paper of boot-lab.ts. */
import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBoot } from '../../agent/boot.ts';
import { parseHandover } from '../../contract/handover.ts';
import { parseTelemetry } from '../../contract/telemetry.ts';
import { readCpio } from '../contract/read-cpio.ts';
import { lab } from './boot-lab.ts';
import { type FakeConsole, succeeded } from './fakes.ts';

const MIB = 1024 ** 2;
/** O_ACCMODE of open(2), which node:fs does not name. */
const ACCESS_MODE = 3;
const MAC = '52:54:00:aa:00:01';

/** `phase end` lines without their seconds. */
const ends = (console: FakeConsole): string[] =>
  console.lines.flatMap((line) => {
    const match = /^swarmboot: phase (\w+): end (ok|failed)/.exec(line);
    return match ? [`${match[1]} ${match[2]}`] : [];
  });

const ALL = ['network ok', 'manifest ok', 'memory ok', 'swarm ok', 'verify ok', 'linger ok', 'handoff ok'];

/** Files below `folder` that this process holds open for writing: kexec would answer ETXTBSY. */
function openForWriting(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      const flags = Number.parseInt(
        /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '',
        8,
      );
      return path.startsWith(folder) && (flags & ACCESS_MODE) !== constants.O_RDONLY ? [path] : [];
    } catch {
      return []; // closed in the meantime
    }
  });
}

test('while kexec loads, nothing that it reads is open for writing', async (context) => {
  const { machine, boot } = await lab(context);
  const store = join(machine.root, '/run/swarmboot');
  const fd = openSync(join(machine.root, '/proc/cmdline'), 'r+');
  assert.equal(openForWriting(machine.root).length, 1); // the check itself sees a file that is
  closeSync(fd);
  let open: string[] | undefined;
  machine.programs.set('kexec', () => {
    open = openForWriting(store);
    return succeeded;
  });
  assert.equal(await boot(), true);
  assert.deepEqual(open, []);
});

test('the real system finds what to seed: kernel and initrd behind the root, their description in the initrd', async (context) => {
  const { machine, served, boot } = await lab(context, { cmdline: 'swarmboot.seed-rate=7' });
  assert.equal(await boot(), true);
  const initrd = readFileSync(join(machine.root, '/run/swarmboot/initrd.img'));
  const original = readFileSync(join(served.folder, 'initrd.img'));
  assert.ok(initrd.subarray(0, original.length).equals(original));
  const { members } = readCpio(initrd.subarray(Math.ceil(original.length / 4) * 4));
  const text = (name: string) =>
    members.find(({ path }) => path === `swarmboot/seed/${name}`)?.data ?? Buffer.alloc(0);
  for (const name of ['manifest.json', 'manifest.json.sig', 'image.torrent'])
    assert.ok(text(name).equals(readFileSync(join(served.folder, name))), name);
  const { files, rateMiB, port, mac } = parseHandover(text('seed.json').toString());
  assert.deepEqual({ rateMiB, port, mac }, { rateMiB: 7, port: 6881, mac: MAC });
  const region = readFileSync(join(machine.root, '/dev/pmem0'));
  assert.deepEqual(files.map(({ path }) => path).sort(), ['initrd.img', 'root.squashfs', 'vmlinuz']);
  for (const { path, source, offset } of files) {
    assert.equal(source, '/dev/pmem0');
    const bytes = readFileSync(join(served.folder, path));
    assert.ok(region.subarray(offset, offset + bytes.length).equals(bytes), path);
  }
});

test('what was used of the memory that was planned is told, kexec included', async (context) => {
  const { machine, console, boot } = await lab(context);
  machine.programs.set('kexec', () => {
    machine.file('/proc/meminfo', `MemTotal: 2000000 kB\nMemAvailable: ${(1000 - 70) * 1024} kB\n`);
    return succeeded;
  });
  assert.equal(await boot(), true);
  assert.ok(console.find(/note memory: 70\.0 MiB used at most, planned with \d+\.\d MiB$/));
});

for (const direct of [true, false]) {
  test(`with less RAM than planned nothing is given while the kernel is loaded, ${direct ? 'by the agent itself' : 'by kexec'}`, async (context) => {
    const { machine, console, engine, served, boot } = await lab(context);
    machine.programs.set('mount', () => {
      machine.file('/proc/meminfo', `MemTotal: 2000000 kB\nMemAvailable: ${30 * 1024} kB\n`);
      return succeeded;
    });
    const loads: unknown[] = [];
    const noteLoad = (...words: readonly string[]) => {
      loads.push(
        [engine.swarms[0]?.closed, ...words.map((word) => word.slice(machine.root.length))].slice(0, 3),
      );
      return succeeded;
    };
    if (direct) machine.loadKernel = noteLoad;
    assert.equal(await boot(), true);
    assert.ok(console.find(/note memory: little is left, so this machine gives nothing while kexec loads$/));
    assert.equal(engine.swarms[0]?.closed, 1);
    const programs = machine.callsOf('kexec').map((call) => call.split(' ')[0]);
    assert.deepEqual(programs, direct ? ['-e'] : ['-s', '-e']);
    if (direct) assert.deepEqual(loads, [[1, '/run/swarmboot/vmlinuz', '/run/swarmboot/initrd.img']]);
    assert.match(served.server.bodies.join(''), /"event":"handoff"/);
  });
}

test('a kernel that the agent cannot load itself is refused like any other', async (context) => {
  const { machine, console, boot } = await lab(context);
  machine.programs.set('mount', () => {
    machine.file('/proc/meminfo', `MemTotal: 2000000 kB\nMemAvailable: ${30 * 1024} kB\n`);
    return succeeded;
  });
  machine.loadKernel = () => ({ status: 1, output: 'kexec_file_load failed: Key was rejected by service' });
  assert.equal(await boot(), false);
  assert.ok(console.find(/^swarmboot: error kernel-untrusted: .*its signature does not fit its bytes/));
});

test('swarmboot.seed=bring: the agent lies behind the root, and the boot script is told where', async (context) => {
  const { machine, boot } = await lab(context, { cmdline: 'swarmboot.seed=bring' });
  const agent = Buffer.from('a squashfs '.repeat(1000));
  writeFileSync(join(machine.root, '/agent.squashfs'), agent);
  assert.equal(await boot(), true);
  const initrd = readFileSync(join(machine.root, '/run/swarmboot/initrd.img')).toString('latin1');
  const offset = Number(/swarmboot\/seed\/agent-offset\0+(\d+)\n/.exec(initrd)?.[1]);
  const region = readFileSync(join(machine.root, '/dev/pmem0'));
  assert.ok(offset > 0 && region.subarray(offset, offset + agent.length).equals(agent));
  const reserved = Number(/ memmap=(\d+)M!/.exec(machine.callsOf('kexec')[0] ?? '')?.[1]) * MIB;
  assert.ok(reserved >= offset + agent.length, 'the real kernel keeps it');
});

test('swarmboot.seed=off leaves nothing and keeps nothing but the root', async (context) => {
  const { machine, served, boot } = await lab(context, { cmdline: 'swarmboot.seed=off' });
  assert.equal(await boot(), true);
  assert.deepEqual(
    readFileSync(join(machine.root, '/run/swarmboot/initrd.img')),
    readFileSync(join(served.folder, 'initrd.img')),
  );
  assert.match(machine.callsOf('kexec')[0] ?? '', / memmap=2M!/);
});

test('a boot by pmem: seven phases, the image in place, one kexec', async (context) => {
  const { machine, console, served, engine, boot } = await lab(context, {
    cmdline: 'swarmboot.append=debug swarmboot.hostname=pc01',
  });
  assert.equal(await boot(), true);
  assert.deepEqual(ends(console), ALL);
  const root = readFileSync(join(served.folder, 'root.squashfs'));
  assert.deepEqual(readFileSync(join(machine.root, '/dev/pmem0')).subarray(0, root.length), root);
  const store = join(machine.root, '/run/swarmboot');
  assert.deepEqual(machine.callsOf('kexec'), [
    `-s -l ${store}/vmlinuz --initrd=${store}/initrd.img --command-line=console=ttyS0 boot=swarmboot ` +
      'swarmboot.root=pmem:/dev/pmem0 memmap=4M!0x28000000 root=tmpfs debug BOOTIF=01-52-54-00-aa-00-01 swarmboot.lease=10.77.0.50/24,10.77.0.1 swarmboot.hostname=pc01',
    '-e',
  ]);
  assert.deepEqual(readFileSync(join(store, 'vmlinuz')), readFileSync(join(served.folder, 'vmlinuz')));
  assert.equal(readFileSync(join(machine.root, '/proc/sys/vm/drop_caches'), 'utf8'), '1\n');
  assert.equal(engine.swarms[0]?.closed, 1);
  assert.ok(console.find(/^swarmboot: progress 100\.0% 1\.2 MiB of 1\.2 MiB, .* MiB\/s, 2 peers, ETA 0s$/));
  const { events, rejected } = parseTelemetry(served.server.bodies.join(''));
  assert.equal(rejected, 0);
  assert.deepEqual(
    events
      .filter((event) => event.event === 'phase-end')
      .map((event) => `${event.phase} ${event.ok ? 'ok' : 'failed'}`),
    ALL,
  );
  const kinds = new Set(events.map((event) => event.event));
  for (const kind of ['machine', 'progress', 'handoff'] as const) assert.ok(kinds.has(kind), kind);
  const handoff = events.find((event) => event.event === 'handoff');
  assert.equal(handoff?.memoryPeakBytes, 2 ** 31 - 1000 * 2 ** 20, 'of 2 GiB, 1000 MiB were available');
});

test('a boot by retain: the image lies behind the initrd, on a page', async (context) => {
  const { machine, console, served, boot } = await lab(context, { pmem: false });
  assert.equal(await boot(), true);
  assert.deepEqual(ends(console), ALL);
  const load = machine.callsOf('kexec')[0] ?? '';
  assert.match(load, /swarmboot\.root=initrd:\d+ retain_initrd root=tmpfs BOOTIF=\S+ swarmboot\.lease=\S+$/);
  const offset = Number(/root=initrd:(\d+)/.exec(load)?.[1]);
  const file = readFileSync(/--initrd=(\S+)/.exec(load)?.[1] ?? '');
  const initrd = readFileSync(join(served.folder, 'initrd.img'));
  assert.deepEqual(file.subarray(0, initrd.length), initrd);
  // Behind the squashfs the kernel would look for no archive: what the seeder needs stands in front of it.
  const { members, length } = readCpio(file.subarray(Math.ceil(initrd.length / 4) * 4));
  assert.ok(members.some(({ path }) => path === 'swarmboot/seed/seed.json'));
  const behind = Math.ceil(initrd.length / 4) * 4 + length;
  assert.ok(file.subarray(behind, offset).every((byte) => byte === 0));
  assert.ok(file.subarray(offset).equals(readFileSync(join(served.folder, 'root.squashfs'))));
});

test('a boot by cpio: the initrd of the kexec is an archive that holds the image', async (context) => {
  const { machine, console, served, boot } = await lab(context, { cmdline: 'swarmboot.handoff=cpio' });
  assert.equal(await boot(), true);
  assert.deepEqual(ends(console), ALL);
  const load = machine.callsOf('kexec')[0] ?? '';
  assert.match(
    load,
    /swarmboot\.root=file:\/swarmboot\/root\.squashfs root=tmpfs BOOTIF=\S+ swarmboot\.lease=\S+$/,
  );
  const path = /--initrd=(\S+)/.exec(load)?.[1] ?? '';
  const file = readFileSync(path);
  const initrd = readFileSync(join(served.folder, 'initrd.img'));
  assert.deepEqual(file.subarray(0, initrd.length), initrd);
  const { members } = readCpio(file.subarray(Math.ceil(initrd.length / 4) * 4));
  assert.deepEqual(members[1]?.data, readFileSync(join(served.folder, 'root.squashfs')));
  // The tmpfs is as large as what goes into it, within 5 MiB.
  const size = Number(/size=(\d+)/.exec(machine.callsOf('mount')[0] ?? '')?.[1]);
  assert.ok(size > statSync(path).size && size < statSync(path).size + 6 * MIB);
});

test('a region that loses what is written is found before the download', async (context) => {
  const { console, engine, served, boot } = await lab(context, {
    forgetful: (path) => path.endsWith('/dev/pmem0'),
  });
  assert.equal(await boot(), true);
  assert.deepEqual(ends(console), ALL);
  assert.ok(
    console.find(/note \/dev\/pmem0 does not keep what is written to it at 0x28000000: no RAM there/),
  );
  assert.ok(console.find(/note memory: pmem: failed earlier/));
  assert.equal(engine.swarms.length, 1);
  assert.match(served.server.bodies.join(''), /"code":"region-damaged"/);
});

test('an image that is damaged after the download is found, and fetched again for the next strategy', async (context) => {
  const { machine, console, engine, boot } = await lab(context, {
    forgetful: (path) => path.endsWith('/dev/pmem0') && engine.swarms.length > 0,
  });
  assert.equal(await boot(), true);
  assert.deepEqual(ends(console), [...ALL.slice(0, 4), 'verify failed', ...ALL.slice(2)]);
  assert.ok(console.find(/verify: end failed .* Read back from pmem, root\.squashfs is not what was signed/));
  assert.deepEqual(
    engine.swarms.map(({ options }) => options.complete),
    [false, false],
  );
  assert.equal(engine.swarms[0]?.closed, 1);
  assert.match(machine.callsOf('kexec')[0] ?? '', / retain_initrd /);
});

test('the same without RAM for another strategy ends on the emergency screen with the numbers', async (context) => {
  const faults = { forgetful: (path: string) => path.endsWith('/dev/pmem0'), availableMib: 39 };
  const { console, boot } = await lab(context, faults);
  assert.equal(await boot(), false);
  assert.ok(
    console.find(
      /^swarmboot: error too-little-memory: .*pmem: failed earlier.*retain: needs \d+ MiB of RAM, 39 MiB.*cpio: needs \d+ MiB of RAM, 39 MiB is available/,
    ),
  );
});

test('a kexec that is refused falls back, says what kexec said, and downloads nothing again', async (context) => {
  const { machine, console, served, engine, boot } = await lab(context);
  let refused = 0;
  machine.programs.set('kexec', (args) => {
    if (!args.some((arg) => /pmem|retain/.test(arg))) return succeeded;
    refused++;
    return { status: 255, output: 'kexec_file_load failed: Cannot allocate memory' };
  });
  assert.equal(await boot(), true);
  assert.equal(refused, 2);
  assert.ok(console.find(/handoff: end failed .*Cannot allocate memory/));
  const load = machine.callsOf('kexec').at(-2) ?? '';
  assert.match(load, /swarmboot\.root=file:\S+ root=tmpfs BOOTIF=\S+ swarmboot\.lease=\S+$/);
  // The swarm of paper writes nothing when it is complete from the start: these bytes were copied.
  assert.deepEqual(
    engine.swarms.map(({ options }) => options.complete),
    [false, true, true],
  );
  const { members } = readCpio(
    readFileSync(/--initrd=(\S+)/.exec(load)?.[1] ?? '').subarray(
      Math.ceil(statSync(join(served.folder, 'initrd.img')).size / 4) * 4,
    ),
  );
  assert.deepEqual(members[1]?.data, readFileSync(join(served.folder, 'root.squashfs')));
  const stores = ['/run/swarmboot', '/run/swarmboot-again', '/run/swarmboot'];
  assert.deepEqual(
    machine.callsOf('mount').map((call) => call.split(' ').at(-1)),
    stores.map((path) => join(machine.root, path)),
  );
  // Each is gone once the next one has the image.
  const unmounted = machine.callsOf('umount').slice(-2);
  assert.deepEqual(
    unmounted,
    stores.slice(0, 2).map((path) => join(machine.root, path)),
  );
});

test('a kernel that Secure Boot refuses is not tried another way: the screen says so, and the server', async (context) => {
  const { machine, console, served, boot } = await lab(context);
  machine.programs.set('kexec', () => ({
    status: 255,
    output: 'kexec_file_load failed: Key was rejected by service',
  }));
  assert.equal(await boot(), false);
  assert.equal(machine.callsOf('kexec').length, 1);
  assert.ok(console.find(/^swarmboot: error kernel-untrusted: The kernel of ".*" is refused/));
  assert.ok(console.find(/^swarmboot: note what to do: .*Secure Boot/));
  const { events } = parseTelemetry(served.server.bodies.join(''));
  assert.ok(events.some((event) => event.event === 'error' && event.code === 'kernel-untrusted'));
});

test('a check of the running root that the image cannot give ends the boot before the download', async (context) => {
  const { console, engine, boot } = await lab(context, { cmdline: 'swarmboot.verity=on' });
  assert.equal(await boot(), false);
  assert.ok(
    console.find(/^swarmboot: error no-verity: swarmboot\.verity=on asks for a root that is checked/),
  );
  assert.equal(engine.swarms.length, 0);
});

test('a forced strategy does not fall back', async (context) => {
  const { machine, console, boot } = await lab(context, { cmdline: 'swarmboot.handoff=pmem' });
  machine.programs.set('kexec', () => ({ status: 255, output: 'no' }));
  assert.equal(await boot(), false);
  assert.ok(console.find(/^swarmboot: error kexec-refused: /));
});

test('nobody has the image: it says what is awaited, then the emergency screen, then it reboots', async (context) => {
  const { machine, console, served, boot } = await lab(context, {
    stalledAt: 300_001,
    cmdline: 'swarmboot.retry-timeout=50 swarmboot.reboot=12',
  });
  assert.equal(await boot(), false);
  assert.ok(
    console.find(/^swarmboot: note no progress for 2\ds: waiting for|no progress for 20 s: waiting for/),
  );
  assert.ok(
    console.find(/^swarmboot: error swarm-stalled: No piece arrived for 50 s: waiting for \d+ of \d+ pieces/),
  );
  assert.ok(console.find(/^swarmboot: note what to do: Check that the boot server is up/));
  assert.ok(console.find(/^swarmboot: note this machine: eth0 MAC 52:54:00:aa:00:01, IP 10\.77\.0\.50$/));
  assert.deepEqual(
    console.lines.filter((line) => line.includes('rebooting')),
    [12, 10, 5, 4, 3, 2, 1, 0].map((left) => `swarmboot: rebooting in ${left}s`),
  );
  assert.deepEqual(machine.callsOf('reboot'), ['-f']);
  assert.match(served.server.bodies.join(''), /"event":"error","code":"swarm-stalled"/);
});

test('an unsigned image is never booted', async (context) => {
  const { machine, console, served, engine, boot } = await lab(context);
  served.server.reply('/images/debian-test/manifest.json.sig', undefined);
  assert.equal(await boot(), false);
  assert.ok(console.find(/^swarmboot: error signature-missing: /));
  assert.equal(engine.swarms.length, 0);
  assert.deepEqual(machine.callsOf('kexec'), []);
});

test('too little RAM is said with both numbers before anything is downloaded', async (context) => {
  const { console, engine, boot } = await lab(context, { availableMib: 30 });
  assert.equal(await boot(), false);
  assert.ok(console.find(/^swarmboot: error too-little-memory: .*needs \d+ MiB of RAM, 30 MiB is available/));
  assert.equal(engine.swarms.length, 0);
});

test('no manifest, no key: said and rebooted, not hung', async (context) => {
  const without = await lab(context);
  without.machine.file('/proc/cmdline', 'quiet');
  const session = createBoot(without.machine, without.console, without.engine, 'amd64');
  const rebooted = new Promise<void>((resolve) => {
    without.machine.programs.set('reboot', () => {
      resolve();
      return succeeded;
    });
  });
  void session.run();
  await rebooted;
  assert.ok(without.console.find(/^swarmboot: error no-manifest: /));

  const keyless = await lab(context);
  keyless.machine.file('/etc/swarmboot/release.pub', 'not a key\n');
  assert.equal(await keyless.boot(), false);
  assert.ok(keyless.console.find(/^swarmboot: error no-key: /));
});

test('an unknown parameter is named and the boot goes on', async (context) => {
  const { console, served, boot } = await lab(context, {
    cmdline: 'swarmboot.colour=blue swarmboot.linger=0',
  });
  assert.equal(await boot(), true);
  assert.ok(console.find(/^swarmboot: note Unknown parameter "swarmboot\.colour" is ignored/));
  assert.match(served.server.bodies.join(''), /"code":"parameter"/);
});

test('a server that dies after the manifest slows nothing down', async (context) => {
  const { machine, console, served, boot } = await lab(context);
  served.server.handle('/images/debian-test/image.torrent', (_, response) => {
    response.on('close', () => void served.server.close());
    response.end(served.metainfoBytes);
  });
  assert.equal(await boot(), true);
  assert.ok(console.find(/linger: end ok .*the server is silent/));
  assert.ok(machine.now() < 60_000);
});

test('a kexec -e that does nothing ends on the emergency screen', async (context) => {
  const { machine, console, served, engine } = await lab(context);
  const session = createBoot(machine, console, engine, 'amd64');
  const rebooted = Promise.withResolvers<void>();
  machine.programs.set('reboot', () => {
    rebooted.resolve();
    return succeeded;
  });
  void session.run();
  await rebooted.promise;
  assert.ok(console.find(/^swarmboot: error kexec-failed: The kernel did not jump within 20 s of kexec -e/));
  assert.equal(existsSync(served.folder), true);
});

test('what nobody caught ends on the emergency screen once, and swarmboot.reboot=0 keeps it alive', async (context) => {
  const { machine, console, engine } = await lab(context, { cmdline: 'swarmboot.reboot=0' });
  const session = createBoot(machine, console, engine, 'amd64');
  void session.fail(new TypeError('x is undefined'));
  void session.fail(new Error('and then this'));
  await machine.sleep(3_600_000);
  const errors = console.lines.filter((line) => line.startsWith('swarmboot: error'));
  assert.ok(errors.length > 3);
  assert.deepEqual(new Set(errors), new Set(['swarmboot: error internal: x is undefined']));
  assert.ok(console.find(/note this machine: eth0 MAC 52:54:00:aa:00:01/));
  assert.deepEqual(machine.callsOf('reboot'), []);
});
