import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { STAGE1_KERNEL, startServer, statusOf } from '../running-server.ts';
import { get, rawRequest } from './raw-request.ts';

const { url, server, folder } = await startServer();
const port = server.httpPort;
const text = async (path: string): Promise<string> => (await fetch(url + path)).text();
const stage1Bytes = async (): Promise<number> => (await statusOf(url)).server.stage1Bytes;

test('a machine is told stage-1, manifest, seeder and memory region of the image', async () => {
  assert.match(await text('/boot.ipxe'), new RegExp(`^chain .*${url}/ipxe\\?mac=\\$\\{mac\\}&uuid=`, 'm'));
  const script = await text('/ipxe?mac=52:54:00:AA:00:06&arch=x86_64&platform=efi');
  const seederPort = server.releases()[0]?.seederPort;
  assert.match(
    script,
    new RegExp(
      `^kernel ${url}/stage1/amd64/vmlinuz initrd=initrd.img panic=60 nokaslr memmap=4M%312M-1\\+12 memmap=2M%316M-1\\+12 `,
      'm',
    ),
  );
  assert.match(
    script,
    new RegExp(`swarmboot.manifest=${url}/images/lab/manifest.json swarmboot.peers=127.0.0.1:${seederPort} `),
  );
  assert.match(script, / console=ttyS0,115200 \|\| goto retry$/m);
  const status = await statusOf(url);
  assert.deepEqual([status.machines[0]?.mac, status.machines[0]?.boot], ['52:54:00:aa:00:06', null]);
});

test('GRUB is led to the same, in its own words', async () => {
  const origin = `\\(http,${url.slice('http://'.length)}\\)`;
  assert.match(
    await text('/grub/grub.cfg'),
    new RegExp(`source "${origin}/grub\\?mac=\\$net_default_mac&arch=`),
  );
  const script = await text('/grub?mac=52:54:00:aa:00:07&arch=x86_64&platform=efi');
  assert.match(script, new RegExp(`if linux '${origin}/stage1/amd64/vmlinuz' 'panic=60' 'nokaslr' `));
  assert.match(script, new RegExp(`'swarmboot.manifest=${url}/images/lab/manifest.json' `));
  assert.match(script, / 'console=ttyS0,115200'; then$/m);
  assert.match(await text('/grub?arch=riscv64'), /no stage-1 for architecture riscv64[\s\S]*^ {2}reboot$/m);
  // GRUB's Host header has no port.
  const headers = ['Host: 127.0.0.1', 'User-Agent: GRUB 2.12-9+deb13u1'];
  assert.match(
    await rawRequest(port, get('/grub?arch=x86_64', headers)),
    new RegExp(`linux '${origin}/stage1`),
  );
  assert.ok((await statusOf(url)).machines.some(({ mac }) => mac === '52:54:00:aa:00:07'));
});

test('a machine that told its memory map gets the region that fits it, at its next boot', async () => {
  const mac = '52:54:00:aa:00:77';
  const script = () => text(`/ipxe?mac=${mac}&arch=x86_64&platform=pcbios`);
  assert.match(await script(), / memmap=4M%312M-1\+12 memmap=2M%316M-1\+12 /);
  const told = { mac, boot: 'ab'.repeat(8), uptime: 3, event: 'machine', arch: 'amd64', firmware: 'bios' };
  const memmap = [[1048576, 900 * 2 ** 20 - 1]];
  const body = `${JSON.stringify({ ...told, memoryBytes: 900 * 2 ** 20, memmap })}\n`;
  assert.equal((await fetch(`${url}/telemetry`, { method: 'POST', body })).status, 200);
  assert.match(await script(), / nokaslr memmap=6M%894M-1\+12 swarmboot/);
});

test('a machine of an unknown or another architecture is told so, and reboots', async () => {
  assert.match(await text('/ipxe?arch=riscv64'), /no stage-1 for architecture riscv64[\s\S]*^reboot$/m);
  assert.match(await text('/ipxe?arch=arm64'), /no image is for arm64 \(lab is for amd64\)/);
});

test('no Host header can put a line or a word into a script', async () => {
  const good = await rawRequest(port, get('/ipxe?arch=x86_64', ['Host: boot.example.org:8080']));
  assert.match(good, /kernel http:\/\/boot\.example\.org:8080\/stage1/);
  for (const host of [
    'a b',
    'a;b',
    `a\${net0/mac}`,
    'a/b',
    'a@b',
    '',
    'a:99999999',
    '[::1',
    'a\tb',
    'é',
    `${'a'.repeat(300)}`,
  ]) {
    const answer = await rawRequest(port, Buffer.from(get('/ipxe?arch=x86_64', [`Host: ${host}`]), 'latin1'));
    if (/^HTTP\/1\.1 400/.test(answer)) continue;
    assert.match(answer, new RegExp(`kernel ${url}/stage1`), `Host "${host}"`);
  }
});

test('stage-1 files come whole, by range and by HEAD; what really went out is counted', async () => {
  const before = await stage1Bytes();
  const whole = Buffer.from(await (await fetch(`${url}/stage1/amd64/vmlinuz`)).arrayBuffer());
  assert.ok(whole.equals(STAGE1_KERNEL));
  assert.equal((await stage1Bytes()) - before, STAGE1_KERNEL.length);
  const head = await fetch(`${url}/stage1/amd64/vmlinuz`, { method: 'HEAD' });
  assert.equal(
    head.headers.get('content-length'),
    String(STAGE1_KERNEL.length),
    'HTTP Boot firmware needs it',
  );
  const part = await fetch(`${url}/stage1/amd64/vmlinuz`, { headers: { range: 'bytes=10-19' } });
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), STAGE1_KERNEL.subarray(10, 20));
  assert.equal((await stage1Bytes()) - before, STAGE1_KERNEL.length + 10);
});

test("GRUB reads the length of whatever it fetches: it knows the header's name in one spelling only", async () => {
  for (const path of [
    '/grub/grub.cfg',
    '/grub?arch=x86_64',
    '/stage1/amd64/vmlinuz',
    '/stage1/amd64/initrd.img',
  ]) {
    assert.match(await rawRequest(port, get(path, ['Host: a'])), /\r\nContent-Length: [1-9]\d*\r\n/, path);
  }
});

test('only the files of stage-1 and iPXE are there', async () => {
  writeFileSync(join(folder, 'state/stage1/amd64/manifest.json'), 'secret');
  await mkdir(join(folder, 'state/tftp'), { recursive: true });
  writeFileSync(join(folder, 'state/tftp/ipxe.efi'), 'MZ');
  writeFileSync(join(folder, 'state/tftp/other'), 'secret');
  assert.equal(await text('/tftp/ipxe.efi'), 'MZ');
  for (const path of [
    '/tftp/other',
    '/stage1/amd64/manifest.json',
    '/stage1/mips/vmlinuz',
    '/stage1/amd64/',
    '/tftp/',
    '/',
  ])
    assert.equal((await fetch(url + path)).status, 404, path);
});

test('without an image machines are told to wait and reboot', async () => {
  const empty = await startServer({ image: 'not-published' });
  const script = await (await fetch(`${empty.url}/ipxe?arch=x86_64`)).text();
  assert.match(
    script,
    /image not-published \(image of "swarmboot serve --image"\) is not published[\s\S]*^sleep 60\nreboot$/m,
  );
});
