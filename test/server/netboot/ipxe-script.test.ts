import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCmdline } from '../../../contract/parameters.ts';
import {
  entryScript,
  excuseScript,
  type MachineScript,
  machineScript,
  stage1Parameters,
} from '../../../server/netboot/ipxe-script.ts';
import { assertGolden } from '../golden.ts';

const script: MachineScript = {
  baseUrl: 'http://10.77.0.1:7080',
  arch: 'amd64',
  image: 'debian-lab',
  version: '20260131.1',
  contents: { root: 150_000_001, behind: 26_000_000 },
  ram: [],
  seeder: { host: '10.77.0.1', port: 6881 },
  append: ['console=tty0', 'console=ttyS0,115200'],
  systemParameters: '',
  hostname: undefined,
  token: undefined,
};

test('scripts are as the golden files have them', () => {
  assertGolden('boot.ipxe', entryScript('http://10.77.0.1:7080'));
  assertGolden('machine.ipxe', machineScript(script));
  assertGolden('excuse.ipxe', excuseScript('the server has no image yet'));
});

test('the agent understands every parameter that the script gives it', () => {
  const cmdline = stage1Parameters(script).join(' ').replace(`\${mac:hexhyp}`, '52-54-00-aa-00-06');
  const { parameters, complaints, bootInterfaceMac } = parseCmdline(cmdline);
  assert.deepEqual(complaints, []);
  assert.equal(parameters.manifest, 'http://10.77.0.1:7080/images/debian-lab/manifest.json');
  assert.deepEqual(parameters.peers, [{ host: '10.77.0.1', port: 6881 }]);
  assert.equal(bootInterfaceMac, '52:54:00:aa:00:06');
});

test('an IPv6 seeder is bracketed, a missing one left out, arm64 has no memmap', () => {
  const text = (changed: Partial<MachineScript>) => stage1Parameters({ ...script, ...changed }).join(' ');
  assert.match(text({ seeder: { host: 'fd77::1', port: 6881 } }), /swarmboot\.peers=\[fd77::1\]:6881 /);
  assert.doesNotMatch(text({ seeder: undefined }), /swarmboot\.peers/);
  assert.doesNotMatch(text({ arch: 'arm64' }), /memmap|nokaslr/);
});

test('parameters of the real system are one word; a token goes behind the name of the initramfs', () => {
  const changed = { ...script, hostname: 'pc01', systemParameters: 'nomodeset quiet', token: '00ff' };
  const { parameters } = parseCmdline(stage1Parameters(changed).join(' '));
  assert.equal(parameters.hostname, 'pc01');
  assert.equal(parameters.append, 'nomodeset quiet');
  assert.match(machineScript(changed), /^initrd http:\S+\/initrd\.img\?next=00ff \|\| goto retry$/m);
});
