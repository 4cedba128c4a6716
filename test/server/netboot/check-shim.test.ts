import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Failure } from '../../../server/failure.ts';
import { checkShim } from '../../../server/netboot/check-shim.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('without shim and GRUB no UEFI machine would boot; with those of one architecture the others are named', async () => {
  const tftp = temporaryFolder('shim');
  writeFileSync(join(tftp, 'shimx64.efi'), 'shim');
  await assert.rejects(
    checkShim(tftp),
    (error: unknown) =>
      error instanceof Failure &&
      error.code === 'missing-program' &&
      /apt-get install shim-signed grub-efi-amd64-signed and run this again/.test(error.message),
  );
  writeFileSync(join(tftp, 'grubx64.efi'), 'GRUB');
  const [sentence = '', ...more] = await checkShim(tftp);
  assert.match(sentence, /has no shim and GRUB for arm64: such UEFI machines will not boot/);
  assert.deepEqual(more, []);
  for (const name of ['shimaa64.efi', 'grubaa64.efi']) writeFileSync(join(tftp, name), 'arm64');
  assert.deepEqual(await checkShim(tftp), []);
});
