import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeModule, type ModuleTree, moduleIndex, resolveModules } from '../../initramfs/modules.ts';
import { makeElf } from './make-elf.ts';

/** name -> modinfo */
const KERNEL: Record<string, string[]> = {
  r8169: [
    'alias=pci:v000010ECd00008168*',
    'depends=libphy,mdio_devres',
    'softdep=pre: realtek post: later',
    'firmware=rtl_nic/rtl8168d-1.fw',
  ],
  realtek: ['alias=mdio:0000*', 'depends=libphy'],
  libphy: ['depends='],
  mdio_devres: ['depends=libphy'],
  wishful: ['depends=', 'softdep=pre: nothing-like-it'],
  greedy: ['depends=gone'],
  later: ['depends='],
  xhci_pci: ['depends=xhci-hcd'],
  xhci_hcd: ['depends=usbcore'],
  left: ['depends=right'],
  right: ['depends=left'],
};

const tree: ModuleTree = {
  isBuiltin: (name) => name === 'usbcore',
  pathOf: (name) => (KERNEL[name] ? `kernel/${name}.ko` : undefined),
  read: async (path) => makeElf({ modinfo: KERNEL[path.slice('kernel/'.length, -'.ko'.length)]! }),
};

test('a driver brings all it depends on; soft "pre" dependencies too, "post" ones not', async () => {
  const { modules, missing } = await resolveModules(['r8169'], tree);
  assert.deepEqual(missing, []);
  assert.deepEqual(
    modules.map(({ name }) => name),
    ['libphy', 'mdio_devres', 'r8169', 'realtek'],
  );
});

test('dashes and underscores are the same, and what is built in needs no file', async () => {
  const { modules, missing } = await resolveModules(['xhci-pci', 'usbcore'], tree);
  assert.deepEqual(missing, []);
  assert.deepEqual(
    modules.map(({ name }) => name),
    ['xhci_hcd', 'xhci_pci'],
  );
});

test('a missing module and who needs it are named; a mere wish may stay away', async () => {
  const { missing } = await resolveModules(['wishful', 'greedy', 'no-such'], tree);
  assert.deepEqual(missing, [
    'stage-1 needs the kernel module "no_such", which this kernel does not have',
    'the kernel module "greedy" needs the kernel module "gone", which this kernel does not have',
  ]);
});

test('modules.dep lists what must be loaded before, the first to load last', async () => {
  const { modules } = await resolveModules(['r8169', 'xhci_pci'], tree);
  const index = moduleIndex(modules);
  assert.equal(
    index['modules.dep'],
    [
      'kernel/libphy.ko:',
      'kernel/mdio_devres.ko: kernel/libphy.ko',
      'kernel/r8169.ko: kernel/realtek.ko kernel/mdio_devres.ko kernel/libphy.ko',
      'kernel/realtek.ko: kernel/libphy.ko',
      'kernel/xhci_hcd.ko:',
      'kernel/xhci_pci.ko: kernel/xhci_hcd.ko',
      '',
    ].join('\n'),
  );
  assert.equal(index['modules.alias'], 'alias pci:v000010ECd00008168* r8169\nalias mdio:0000* realtek\n');
});

test('a circle is an error, not an endless loop', async () => {
  const { modules } = await resolveModules(['left'], tree);
  assert.throws(() => moduleIndex(modules), /depends on itself/);
});

test('firmware is listed', () => {
  const module = describeModule('r8169', 'r8169.ko', makeElf({ modinfo: KERNEL.r8169! }));
  assert.deepEqual(module.firmware, ['rtl_nic/rtl8168d-1.fw']);
});
