/** A way into the real system that fails: what is tried next, and when nothing is. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseTelemetry } from '../../contract/telemetry.ts';
import { readCpio } from '../contract/read-cpio.ts';
import { ALL_PHASES, endedPhases, lab } from './boot-lab.ts';
import { succeeded } from './fakes.ts';

test('a region that loses what is written is found before the download', async (context) => {
  const { console, engine, served, boot } = await lab(context, {
    forgetful: (path) => path.endsWith('/dev/pmem0'),
  });
  assert.equal(await boot(), true);
  assert.deepEqual(endedPhases(console), ALL_PHASES);
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
  assert.deepEqual(endedPhases(console), [
    ...ALL_PHASES.slice(0, 4),
    'verify failed',
    ...ALL_PHASES.slice(2),
  ]);
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
