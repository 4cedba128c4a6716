/** The seeder of the real system on a machine of our own: what it is started with, what it tells, what it refuses. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runSeed, type SeedEvent } from '../../../agent/seed/seed.ts';
import { serializeHandover } from '../../../contract/handover.ts';
import { goodHandover } from '../../contract/fixtures.ts';
import { type FakeEngine, fakeEngine } from '../fake-engine.ts';
import { type FakeMachine, fakeMachine } from '../fakes.ts';
import { serve } from '../http-fixture.ts';
import { makeRelease, type ReleaseFixture } from '../release-fixture.ts';

const STATE = '/run/swarmboot/seed';

interface Scene {
  readonly machine: FakeMachine;
  readonly release: ReleaseFixture;
  readonly engine: FakeEngine;
  readonly events: SeedEvent[];
  readonly state: string;
  /** Runs the seeder for so many virtual seconds. */
  run(seconds: number, environment?: Record<string, string>): Promise<void>;
}

/** A machine whose root image lies 4096 bytes into a "device", kernel and initrd nowhere. */
async function scene(t: TestContext, server?: string): Promise<Scene> {
  const machine = fakeMachine(t, true);
  const release = await makeRelease(t);
  const state = join(machine.root, STATE);
  mkdirSync(state, { recursive: true });
  for (const name of ['manifest.json', 'manifest.json.sig', 'image.torrent', 'release.pub'])
    copyFileSync(join(release.folder, name), join(state, name));
  const { server: _, ...rest } = goodHandover;
  const handover = {
    ...{ ...rest, ...(server === undefined ? {} : { server }) },
    files: [{ path: 'root.squashfs', source: '/dev/pmem0', offset: 4096 }],
  };
  writeFileSync(join(state, 'seed.json'), serializeHandover(handover));
  mkdirSync(join(machine.root, 'dev'));
  const root = readFileSync(join(release.folder, 'root.squashfs'));
  writeFileSync(join(machine.root, 'dev/pmem0'), Buffer.concat([Buffer.alloc(4096), root]));
  const engine = fakeEngine(machine, release);
  const events: SeedEvent[] = [];
  return {
    ...{ machine, release, engine, events, state },
    async run(seconds, environment = {}) {
      const over = new AbortController();
      const options = { state: STATE, config: '/etc/swarmboot/seed.conf', runtime: '/run/s', json: false };
      const emit = (event: SeedEvent): void => {
        events.push(event);
        // From here on: the clock jumps while files are still being read.
        if (event.event === 'seeding') void machine.sleep(seconds * 1000).then(() => over.abort());
      };
      await runSeed(machine, engine, options, emit, over.signal, environment);
    },
  };
}

test('it gives the pieces of the root alone, checked as they are read, within the handed-over limit', async (t) => {
  const { machine, engine, release, run, events } = await scene(t);
  await run(3);
  const { options, tuning, closed } = engine.swarms[0]!;
  assert.equal(options.complete, undefined);
  assert.equal(options.verifyReads, true);
  assert.equal(options.uploadBytesPerSecond, 5 * 1024 ** 2);
  assert.deepEqual(options.listen, { port: 6881 });
  assert.deepEqual(options.webseeds, []);
  assert.equal(options.maxPeers, 16);
  assert.equal(tuning?.uploadSlots, 4);
  assert.ok(options.trackers?.includes('http://10.77.0.1:7080/announce'));
  const root = release.metainfo.files.find(({ path }) => path === 'root.squashfs')!;
  assert.equal(options.holds?.length, Math.ceil(root.length / release.metainfo.pieceLength));
  assert.equal(options.holds?.[0], root.offset / release.metainfo.pieceLength);
  assert.equal(closed, 1);
  assert.match(
    readFileSync(join(machine.root, '/run/s/status'), 'utf8'),
    /^seeding {2}debian-test-1 on port 6881/,
  );
  assert.deepEqual([events[0]?.event, events.at(-1)?.event], ['seeding', 'stopped']);
});

test('the settings of the machine overrule stage-1, and a wrong line is told', async (t) => {
  const { machine, engine, run, events } = await scene(t);
  machine.file('/etc/swarmboot/seed.conf', 'RATE=1\nPORT=7001\nSLOTS=many\n');
  await run(3);
  const { options } = engine.swarms[0]!;
  assert.equal(options.uploadBytesPerSecond, 1024 ** 2);
  assert.deepEqual(options.listen, { port: 7001 });
  const [warning] = events;
  assert.ok(warning?.event === 'warning' && /seed\.conf: Line "SLOTS=many" is ignored/.test(warning.message));
});

test('the server hears of it under the boot and the MAC address that stage-1 had', async (t) => {
  const server = await serve(t);
  server.reply('/telemetry', '{"neededBy":0}');
  const { engine, run } = await scene(t, server.url);
  const running = run(11);
  while (engine.swarms.length === 0) await new Promise((resolve) => setImmediate(resolve));
  engine.swarms[0]!.uploaded = 12_345;
  engine.swarms[0]!.emit('withdrawn', { piece: 5, reason: 'Piece 5 is not as signed' });
  await running;
  const events = server.bodies.flatMap((body) =>
    body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
  const seeding = events.filter(({ event }) => event === 'seeding');
  assert.ok(seeding.length >= 2);
  const { mac, boot, uploaded, withdrawn, limitBytesPerSecond } = seeding.at(-1)!;
  assert.deepEqual(
    { mac, boot, uploaded, withdrawn, limitBytesPerSecond },
    {
      ...{ mac: goodHandover.mac, boot: goodHandover.boot },
      ...{ uploaded: 12_345, withdrawn: 1, limitBytesPerSecond: 5 * 1024 ** 2 },
    },
  );
  assert.ok(events.some(({ code, message }) => code === 'damaged-piece' && /Piece 5/.test(String(message))));
});

test('systemd is told of readiness and life, and nobody where there is no systemd', async (t) => {
  const { machine, run } = await scene(t);
  await run(190, { NOTIFY_SOCKET: '/run/systemd/notify' });
  const [ready, ...alive] = machine.callsOf('systemd-notify');
  assert.match(ready ?? '', /^--ready --status=Seeding debian-test-1 on port 6881$/);
  assert.deepEqual(alive, Array(3).fill('WATCHDOG=1'), 'once a minute: each time is a program');
  const before = machine.calls.length;
  await run(8);
  assert.equal(machine.calls.length, before);
});

for (const [what, spoil, code] of [
  ['nothing was handed over', (state: string) => rmSync(join(state, 'seed.json')), 'no-handover'],
  [
    'the manifest was changed',
    (state: string) => writeFileSync(join(state, 'manifest.json'), '{}'),
    /^signature-/,
  ],
  [
    'the torrent is another',
    (state: string) => writeFileSync(join(state, 'image.torrent'), 'd4:spam'),
    /^metainfo-/,
  ],
  ['the device is gone', (state: string) => rmSync(join(state, '../../../dev/pmem0')), 'seed-failed'],
] as const) {
  test(`it ends with a reason where ${what}`, async (t) => {
    const { run, state, engine } = await scene(t);
    spoil(state);
    await assert.rejects(run(3), (error: { code?: string }) =>
      typeof code === 'string' ? error.code === code : code.test(error.code ?? ''),
    );
    assert.equal(engine.swarms.length, 0);
  });
}
