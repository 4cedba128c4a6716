/** Secure Boot on, by PXE, and an image whose kernel nobody has signed: the machine says so, and the server knows. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { parseManifest } from '../../../contract/manifest.ts';
import { type LabOptions, withLab } from '../../../qemu/lab.ts';
import { loadSecretKey } from '../../../server/catalog/keys.ts';
import { publishRelease } from '../../../server/catalog/publish.ts';
import { expectKernelRefused, SHORT_COUNTDOWN } from '../kernel-refused.ts';
import { CONFIG, IMAGE, prepareSecureBoot, type SecureBootHost, STATE } from '../prepare.ts';

const BOOT_MS = 180_000;
const UNSIGNED = 'unsigned';

/** PE/COFF: entry 4 of the optional header's data directory is the certificate table, at the end of the file. */
function withoutSignature(kernel: Buffer): Buffer {
  const header = kernel.readUInt32LE(0x3c);
  assert.equal(kernel.toString('latin1', header, header + 4), 'PE\0\0');
  assert.equal(kernel.readUInt16LE(header + 24), 0x20b, 'PE32+');
  const entry = header + 24 + 112 + 4 * 8;
  const table = kernel.readUInt32LE(entry);
  assert.ok(table > 0 && kernel.readUInt32LE(entry + 4) > 0, 'Debian signed it');
  const stripped = Buffer.from(kernel.subarray(0, table));
  stripped.fill(0, entry, entry + 8);
  return stripped;
}

/** State of a boot server with the lab's stage-1 and key, and an image whose kernel nobody has signed. */
async function unsignedImage(t: TestContext): Promise<string> {
  const state = mkdtempSync(join(tmpdir(), 'swarmboot-unsigned-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  cpSync(join(STATE, 'stage1'), join(state, 'stage1'), { recursive: true });
  const release = join(STATE, 'images', IMAGE, 'current');
  const manifest = parseManifest(readFileSync(join(release, 'manifest.json')));
  const files = join(release, 'files', `${manifest.name}-${manifest.version}`);
  await publishRelease(
    state,
    {
      ...{ name: UNSIGNED, arch: 'amd64', kernelRelease: manifest.kernelRelease, expiresDays: 1 },
      ...{ cmdline: manifest.cmdline, strategies: manifest.strategies },
      place: async (folder) => {
        writeFileSync(join(folder, 'vmlinuz'), withoutSignature(readFileSync(join(files, 'vmlinuz'))));
        // The kernel is refused before anything looks at these.
        for (const name of ['initrd.img', 'root.squashfs'])
          writeFileSync(join(folder, name), Buffer.alloc(4096, 1));
      },
    },
    loadSecretKey(CONFIG),
    Date.now(),
  );
  return state;
}

describe('a UEFI machine with Secure Boot on', () => {
  let host: SecureBootHost;
  before(async () => {
    host = await prepareSecureBoot();
  });

  // ProxyDHCP is the harder case: shim finds GRUB's server in the firmware's ProxyDHCP packets.
  it('refuses a kernel that is not signed, says so on the screen and to the server, and reboots', async (t) => {
    const options: LabOptions = {
      ...{ machines: 1, accelerator: host.accelerator, state: await unsignedImage(t), config: CONFIG },
      ...{ image: UNSIGNED, firmware: 'secureboot', debianRoot: host.loaders, dhcp: 'proxy' },
      serverArguments: SHORT_COUNTDOWN,
    };
    await withLab(options, async (lab) => {
      const machine = lab.powerOn(0);
      const said = await expectKernelRefused(lab, machine, BOOT_MS);
      assert.match(said, /^The kernel of "unsigned[^"]*" is refused \(kexec: /);
      await machine.expect(/^swarmboot: note what to do: .*signed kernel/m, { from: 0, timeoutMs: 1000 });
      assert.equal((await machine.exited).code, 0, 'the machine reset');
      const starts = machine.console.lines.filter(({ text }) => /phase handoff: start/.test(text));
      assert.equal(starts.length, 1, 'no other strategy was tried');
      const log = readFileSync(join(lab.folder, 'dnsmasq.log'), 'utf8');
      assert.match(log, /sent \S*\/shimx64\.efi to /);
      assert.match(log, /sent \S*\/grubx64\.efi to /);
      assert.doesNotMatch(log, /ipxe\.efi to /);
    });
  });
});
