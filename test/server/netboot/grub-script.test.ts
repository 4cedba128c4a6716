import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCmdline } from '../../../contract/parameters.ts';
import {
  grubEntryConfig,
  grubExcuseScript,
  grubMachineScript,
  grubPath,
} from '../../../server/netboot/grub-script.ts';
import { type MachineScript, stage1Parameters } from '../../../server/netboot/ipxe-script.ts';
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

/** What GRUB's lexer makes of the line that loads the kernel: its words behind `linux`. */
const kernelWords = (text: string): string[] => {
  const line = /if linux (.*); then$/m.exec(text)?.[1] ?? assert.fail('no kernel is loaded');
  return [...line.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, single, double]) => single ?? double ?? '');
};

test('scripts are as the golden files have them', () => {
  assertGolden('grub.cfg', grubEntryConfig('http://10.77.0.1:7080'));
  assertGolden('machine-grub.cfg', grubMachineScript(script));
  assertGolden('excuse-grub.cfg', grubExcuseScript('the server has no image yet'));
});

test("the kernel gets iPXE's parameters, but for what iPXE wants for itself", () => {
  const mac = '52-54-00-aa-00-06';
  const [kernel, ...words] = kernelWords(grubMachineScript(script));
  assert.equal(kernel, '(http,10.77.0.1:7080)/stage1/amd64/vmlinuz');
  const ofGrub = words.map((word) => word.replace('$net_default_mac', mac));
  const ofIpxe = stage1Parameters(script).map((word) => word.replace(`\${mac:hexhyp}`, mac));
  assert.deepEqual(
    ofGrub,
    ofIpxe.filter((word) => word !== 'initrd=initrd.img'),
  );
  const { complaints, bootInterfaceMac } = parseCmdline(ofGrub.join(' '));
  assert.deepEqual([complaints, bootInterfaceMac], [[], '52:54:00:aa:00:06']);
});

test('a parameter with spaces stays one word', () => {
  const append = ['console=tty0 debug'];
  const words = kernelWords(grubMachineScript({ ...script, append, systemParameters: 'quiet splash' }));
  assert.deepEqual(words.slice(-3), ['console=tty0', 'debug', 'swarmboot.append=quiet splash']);
});

test('the initramfs of a one-shot boot carries its token', () => {
  assert.match(
    grubMachineScript({ ...script, token: 'abc123' }),
    /initrd '[^']*\/initrd\.img\?next=abc123'; then$/m,
  );
});

test('no value can leave its quotes', () => {
  assert.throws(() => grubMachineScript({ ...script, append: ["a'; reboot; '"] }), /has a quote/);
  assert.match(grubExcuseScript("it's; reboot"), /^ {2}echo 'swarmboot: it s; reboot'$/m);
});

test('a URL becomes a path of GRUB', () => {
  assert.equal(grubPath('http://boot.example.org/a/b?c=d'), '(http,boot.example.org)/a/b?c=d');
});
