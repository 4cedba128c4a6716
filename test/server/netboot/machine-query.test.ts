import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMac, parseMachineQuery } from '../../../server/netboot/machine-query.ts';

test('reads what iPXE sends', () => {
  assert.deepEqual(
    parseMachineQuery({
      mac: '52:54:00:AA:00:06',
      uuid: '4C4C4544-0042-3510-8052-B9C04F4A3332',
      arch: 'x86_64',
      platform: 'efi',
    }),
    {
      mac: '52:54:00:aa:00:06',
      uuid: '4c4c4544-0042-3510-8052-b9c04f4a3332',
      arch: 'amd64',
      archText: 'x86_64',
      platform: 'efi',
      picked: undefined,
    },
  );
  assert.equal(parseMachineQuery({ picked: 'debian-lab' }).picked, 'debian-lab');
  assert.equal(parseMachineQuery({ arch: 'i386' }).arch, 'amd64', 'undionly.kpxe is an i386 program');
  assert.equal(parseMachineQuery({ arch: 'arm64' }).arch, 'arm64');
  assert.equal(parseMachineQuery({}).arch, 'amd64');
});

test('nonsense becomes undefined, and nothing of it survives but letters', () => {
  for (const mac of ['52:54:00:aa:00', '52:54-00:aa:00:06', '525400aa0006', 'x', '', undefined, ['a'], {}]) {
    assert.equal(parseMac(mac), undefined, String(mac));
  }
  assert.equal(parseMachineQuery({ arch: 'constructor' }).arch, undefined);
  assert.equal(parseMachineQuery({ arch: '__proto__' }).arch, undefined);
  for (const picked of ['', '../x', 'a b', `\${x}`, ['lab'], 'x'.repeat(65)])
    assert.equal(parseMachineQuery({ picked }).picked, undefined, String(picked));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('mac', 'arch', 'uuid', 'platform'), fc.anything()), (query) => {
      const parsed = parseMachineQuery(query);
      assert.match(parsed.archText, /^[a-z0-9_]{0,16}$/);
      assert.match(parsed.mac ?? '', /^([0-9a-f]{2}(:[0-9a-f]{2}){5})?$/);
    }),
  );
});
