/** What the handoff leaves behind for the real system, and what it takes of the RAM meanwhile. */
import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseHandover } from '../../contract/handover.ts';
import { readCpio } from '../contract/read-cpio.ts';
import { lab } from './boot-lab.ts';
import { succeeded } from './fakes.ts';

const MIB = 1024 ** 2;
/** O_ACCMODE of open(2), which node:fs does not name. */
const ACCESS_MODE = 3;
const MAC = '52:54:00:aa:00:01';

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
