import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { transaction } from '../../../server/database/open-database.ts';
import { SEEN_LIMIT } from '../../../server/machines/machine-registry.ts';
import { openSite } from '../../../server/site.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const site = openSite(temporaryFolder('registry'));
after(() => site.close());
const mac = '52:54:00:aa:00:06';
const macOf = (index: number): string =>
  `02:00:00:${[16, 8, 0].map((shift) => ((index >> shift) & 255).toString(16).padStart(2, '0')).join(':')}`;

test('a machine is entered once, found by address or name, named, moved and forgotten', () => {
  site.groups.add('lab1', 1);
  const added = site.machines.add('52-54-00-AA-00-06', 'pc01', 'lab1');
  assert.deepEqual([added.mac, added.name, added.group, added.lastSeenMs], [mac, 'pc01', 'lab1', undefined]);
  assert.throws(() => site.machines.add(mac, undefined, undefined), { code: 'name-taken' });
  assert.equal(site.machines.find('PC01').mac, mac, 'names know no case, as host names do');
  assert.equal(site.machines.find('52:54:00:AA:00:06').name, 'pc01');
  assert.throws(
    () => site.machines.find('pc99'),
    /No machine is known as "pc99"; see "swarmboot machine list"/,
  );
  site.machines.add(macOf(1), undefined, undefined);
  assert.throws(() => site.machines.rename(macOf(1), 'pc01'), /belongs to machine 52:54:00:aa:00:06/);
  assert.throws(() => site.machines.moveToGroup(macOf(1), 'lab9'), /no group "lab9"; make it with/);
  for (const name of ['', 'a b', `\${x}`, 'a\nb', '-x', mac, 'x'.repeat(49), 'é'])
    assert.throws(() => site.machines.rename(mac, name), { code: 'bad-option' }, name);
  assert.throws(() => site.machines.add('02:00:00:00:00:99', 'ok', 'lab9'), { code: 'unknown-name' });
  assert.equal(site.machines.get('02:00:00:00:00:99'), undefined, 'nothing is left of an entry that failed');
  site.assignments.put({
    ...{ target: { scope: 'machine', key: mac }, image: 'lab', menuSeconds: undefined },
    ...{ parameters: undefined, systemParameters: undefined },
  });
  site.assignments.orderNextBoot({ mac, image: 'lab', token: 'aa' });
  site.machines.forget(mac);
  assert.deepEqual([site.assignments.list(), site.assignments.nextBoots()], [[], []]);
});

test('what is seen updates address, architecture and time, and what stage-1 tells is kept', () => {
  site.machines.seen(mac, '10.0.0.9', 'amd64', 1000);
  site.machines.seen(mac, '10.0.0.10', undefined, 2000);
  site.machines.learn({
    ...{ event: 'machine', mac, boot: '00112233445566aa', uptime: 1, arch: 'amd64' },
    ...{ memoryBytes: 8 * 2 ** 30, firmware: 'uefi', memmap: [[0, 0x9ffff]] },
  });
  const known = site.machines.get(mac);
  assert.deepEqual(
    [known?.ip, known?.arch, known?.firstSeenMs, known?.lastSeenMs, known?.memoryBytes, known?.firmware],
    ['10.0.0.10', 'amd64', 1000, 2000, 8 * 2 ** 30, 'uefi'],
  );
  assert.deepEqual(known?.memmap, [[0, 0x9ffff]]);
});

test('invented machines are bounded, for each sender and in all, and never push out one that was entered', () => {
  const kept = '52:54:00:aa:00:07';
  site.machines.add(kept, 'kept', undefined);
  transaction(site.db, () => {
    for (let index = 10; index < 400; index++)
      site.machines.seen(macOf(index), '10.0.0.66', 'amd64', 3000 + index);
  });
  const ofSender = site.machines.list().filter(({ ip }) => ip === '10.0.0.66');
  assert.equal(ofSender.length, 256);
  assert.ok(site.machines.get(macOf(399)), 'the newest is there');
  assert.ok(site.machines.get(mac), 'another address is left alone');
  transaction(site.db, () => {
    for (let index = 1000; index < 1000 + SEEN_LIMIT; index++)
      site.machines.seen(macOf(index), `10.1.${index >> 8}.${index & 255}`, 'amd64', 9000 + index);
  });
  const seen = site.machines.list().filter(({ name }) => name === undefined);
  assert.ok(seen.length <= SEEN_LIMIT + 1, String(seen.length)); // one was entered without a name, above
  assert.ok(site.machines.get(kept));
});
