/** Boots that cannot succeed end on a screen that says why, and those that can do not hang. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { createBoot } from '../../agent/boot.ts';
import { lab } from './boot-lab.ts';
import { succeeded } from './fakes.ts';

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
