import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openSite } from '../../../server/site.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const site = openSite(temporaryFolder('groups'));
after(() => site.close());

test('renaming takes machines and assignments along, removing lets the machines go', () => {
  site.groups.add('lab1', 1);
  assert.throws(() => site.groups.add('lab1', 1), { code: 'name-taken' });
  assert.throws(() => site.groups.add('lab 1', 1), { code: 'bad-option' });
  site.machines.add('52:54:00:aa:00:06', undefined, 'lab1');
  site.assignments.put({
    ...{ target: { scope: 'group', key: 'lab1' }, image: 'lab', menuSeconds: undefined },
    ...{ parameters: undefined, systemParameters: undefined },
  });
  site.groups.rename('lab1', 'room-2');
  assert.deepEqual(site.groups.list(), [{ name: 'room-2', machines: 1 }]);
  assert.equal(site.machines.get('52:54:00:aa:00:06')?.group, 'room-2');
  assert.equal(site.assignments.get({ scope: 'group', key: 'room-2' })?.image, 'lab');
  assert.throws(
    () => site.groups.rename('lab1', 'x'),
    /There is no group "lab1"; see "swarmboot group list"/,
  );
  site.groups.remove('room-2');
  assert.equal(site.machines.get('52:54:00:aa:00:06')?.group, undefined);
  assert.deepEqual(site.assignments.list(), []);
});
