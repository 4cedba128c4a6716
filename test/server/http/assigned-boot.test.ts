/** What is written into the database while the server runs, and what machines then get. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listEvents } from '../../../server/database/event-log.ts';
import { readServerNote } from '../../../server/database/server-note.ts';
import { openSite } from '../../../server/site.ts';
import { publishSmall } from '../published-image.ts';
import { startServer } from '../running-server.ts';

const { url, server, folder, log } = await startServer();
await publishSmall(folder, 'exam');
await server.rescan();
// As the commands do: a connection of its own to the same file.
const site = openSite(join(folder, 'state'));
after(() => site.close());
const mac = '52:54:00:aa:00:06';
const script = async (query = `mac=${mac}&arch=x86_64`): Promise<string> =>
  (await fetch(`${url}/ipxe?${query}`)).text();
const booted = async (query?: string): Promise<string | undefined> =>
  /images\/([a-z]+)\/manifest\.json/.exec(await script(query))?.[1];
const nothing = {
  image: undefined,
  parameters: undefined,
  systemParameters: undefined,
  menuSeconds: undefined,
};
const machine = { scope: 'machine', key: mac } as const;

test('the server says where it is, and a machine that asks is known from then on', async () => {
  assert.deepEqual([readServerNote(site.db)?.url, readServerNote(site.db)?.pid], [url, process.pid]);
  assert.equal(await booted(), 'exam', 'the first by name');
  const known = site.machines.get(mac);
  assert.deepEqual([known?.ip, known?.arch], ['127.0.0.1', 'amd64']);
  const version = server.releases().find(({ release }) => release.name === 'exam')?.release.version;
  const [boot] = site.boots.list(mac);
  assert.deepEqual([boot?.release, boot?.reason], [`exam/${version}`, 'first image by name for amd64']);
});

test('an assignment holds from the next question on', async () => {
  site.assignments.put({ ...nothing, target: { scope: 'default', key: '' }, image: 'lab' });
  assert.equal(await booted(), 'lab');
  assert.equal(await booted('arch=x86_64'), 'lab', 'without a MAC address too');
  site.assignments.put({ ...nothing, target: machine, image: 'exam', systemParameters: 'nomodeset quiet' });
  assert.match(
    await script(),
    /images\/exam\/.* console=ttyS0,115200 swarmboot\.append="nomodeset quiet" \|\|/,
  );
  assert.equal(await booted('mac=52:54:00:aa:00:07&arch=x86_64'), 'lab');
  site.assignments.put({ ...nothing, target: machine, image: 'gone' });
  assert.match(await script(), /image gone \(machine 52:54:00:aa:00:06\) is not published/);
  site.assignments.remove(machine);
});

/** GET of which only the beginning is read, as by a machine that is switched off. */
async function abandoned(path: string): Promise<void> {
  const socket = connect(server.httpPort, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await sleep(200);
}

test('a one-shot boot lasts until its initramfs has been fetched whole, and is taken exactly once', async () => {
  site.assignments.orderNextBoot({ mac, image: 'exam', token: 'abcdef' });
  const text = await script();
  assert.match(text, /images\/exam\//);
  assert.match(
    text,
    new RegExp(`^initrd ${url}/stage1/amd64/initrd.img\\?next=abcdef \\|\\| goto retry$`, 'm'),
  );
  assert.equal(await booted('mac=52:54:00:aa:00:07&arch=x86_64'), 'lab', 'nobody else is meant');
  await fetch(`${url}/stage1/amd64/initrd.img?next=abcdef`, { method: 'HEAD' });
  await fetch(`${url}/stage1/amd64/initrd.img?next=000000`);
  await fetch(`${url}/stage1/amd64/initrd.img`);
  await abandoned('/stage1/amd64/vmlinuz?next=abcdef'); // 3 MB, of which a few kB are read
  assert.equal(await booted(), 'exam', 'none of these has begun the boot');

  const both = [1, 2].map(async () => (await fetch(`${url}/stage1/amd64/initrd.img?next=abcdef`)).text());
  assert.deepEqual(await Promise.all(both), ['initramfs', 'initramfs']);
  for (let tries = 0; site.assignments.nextBoots().length > 0; tries++) {
    assert.ok(tries < 100, 'the order is taken');
    await sleep(20);
  }
  assert.equal(await booted(), 'lab');
  const events = listEvents(site.db, { mac, limit: 10 });
  assert.deepEqual(
    events.map((event) => event.text),
    ['one-shot boot of exam has begun'],
  );
});

test('a menu is shown where it is wanted; what was picked is booted, anything else ignored', async () => {
  site.assignments.put({ ...nothing, target: machine, menuSeconds: 7 });
  site.machines.rename(mac, 'pc01');
  const menu = await script();
  assert.match(await script(`mac=${mac}&arch=x86_64&picked=exam`), / swarmboot\.hostname=pc01 /);
  assert.match(menu, /^menu swarmboot: what shall pc01 boot\?$/m);
  assert.match(menu, /^choose --default lab --timeout 7000 picked \|\| set picked lab$/m);
  assert.equal(await booted(`mac=${mac}&arch=x86_64&picked=exam`), 'exam');
  for (const wrong of ['nope', 'a%0Areboot', '..', 'x'.repeat(100)])
    assert.ok(['lab', undefined].includes(await booted(`mac=${mac}&arch=x86_64&picked=${wrong}`)), wrong);
  assert.equal(await booted('mac=52:54:00:aa:00:07&arch=x86_64&picked=exam'), 'lab', 'it has no menu');
  site.assignments.orderNextBoot({ mac, image: 'exam', token: 'fedcba' });
  assert.equal(await booted(), 'exam', 'what was ordered for once asks nobody');
  site.assignments.cancelNextBoot(mac);
  site.assignments.remove(machine);
});

test('stage-1 tells of the hardware and of the end of the boot', async () => {
  const base = { mac, boot: '00112233445566aa', uptime: 3 };
  const events = [
    { ...base, event: 'machine', arch: 'amd64', memoryBytes: 4e9, firmware: 'bios', memmap: [[0, 655359]] },
    { ...base, event: 'error', code: 'no-peer', message: 'Nobody' },
  ];
  await fetch(`${url}/telemetry`, {
    method: 'POST',
    body: events.map((event) => JSON.stringify(event)).join('\n'),
  });
  assert.deepEqual(site.machines.get(mac)?.memmap, [[0, 655359]]);
  const [boot] = site.boots.list(mac);
  assert.deepEqual([boot?.boot, boot?.outcome, boot?.detail], [base.boot, 'error', 'no-peer: Nobody']);
});

test('machines boot on while the database fails, and the log says so once', async () => {
  site.db.exec('ALTER TABLE assignments RENAME TO gone');
  assert.equal(await booted(), 'exam', 'what it would be without any assignment');
  assert.equal(await booted(), 'exam');
  assert.equal(log.filter(({ msg }) => /The database .* is not usable/.test(msg)).length, 1);
  site.db.exec('ALTER TABLE gone RENAME TO assignments');
  assert.equal(await booted(), 'lab');
});
