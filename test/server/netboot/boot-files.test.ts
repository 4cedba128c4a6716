import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Failure } from '../../../server/failure.ts';
import { hasShim, installBootFiles } from '../../../server/netboot/boot-files.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const URL = 'http://10.77.0.1:7080';

/** A folder with these files in it, like an unpacked Debian. */
function debian(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder('debian');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o600 });
  }
  return root;
}

const IPXE = { '/usr/lib/ipxe/undionly.kpxe': 'bios', '/usr/lib/ipxe/ipxe.efi': 'efi' };
const SHIM = { '/usr/lib/shim/shimx64.efi.signed': 'shim' };
const GRUB = '/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed';

test('what is there is copied, readable for all, with a configuration that leads to the server', async () => {
  const tftp = join(temporaryFolder('tftp'), 'tftp');
  const root = debian({ ...IPXE, ...SHIM, [GRUB]: 'GRUB with net/http.c' });
  const { names, complaints } = await installBootFiles(tftp, [root], URL);
  assert.deepEqual(names, ['undionly.kpxe', 'ipxe.efi', 'shimx64.efi', 'grubx64.efi']);
  assert.deepEqual(complaints, []);
  for (const name of [...names, 'grub/grub.cfg'])
    assert.equal(statSync(join(tftp, name)).mode & 0o777, 0o644);
  assert.match(readFileSync(join(tftp, 'grub/grub.cfg'), 'utf8'), /\(http,10\.77\.0\.1:7080\)\/grub\?mac=/);
  assert.deepEqual([await hasShim(tftp, 'amd64'), await hasShim(tftp, 'arm64')], [true, false]);
});

test('a GRUB without HTTP is left out, with the fix', async () => {
  const tftp = temporaryFolder('tftp');
  const { names, complaints } = await installBootFiles(
    tftp,
    [debian({ ...IPXE, ...SHIM, [GRUB]: 'GRUB with net/tftp.c' })],
    URL,
  );
  assert.ok(!names.includes('grubx64.efi'));
  assert.match(complaints[0] ?? '', /cannot load over HTTP.*mmdebstrap --variant=extract/);
  assert.equal(await hasShim(tftp, 'amd64'), false);
});

test('the first Debian that has a file wins; without iPXE anywhere it fails', async () => {
  const tftp = temporaryFolder('tftp');
  const old = debian({ ...IPXE, [GRUB]: 'old, net/tftp.c' });
  await installBootFiles(tftp, [debian({ ...SHIM, [GRUB]: 'new, net/http.c' }), old], URL);
  assert.equal(readFileSync(join(tftp, 'grubx64.efi'), 'utf8'), 'new, net/http.c');
  await assert.rejects(
    installBootFiles(tftp, [debian(SHIM)], URL),
    (error: unknown) => error instanceof Failure && error.code === 'missing-program',
  );
});
