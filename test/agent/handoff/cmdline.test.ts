import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeCmdline } from '../../../agent/handoff/cmdline.ts';
import type { Plan } from '../../../agent/handoff/plan.ts';
import type { Strategy } from '../../../contract/manifest.ts';

const MIB = 1024 ** 2;
const plan = (strategy: Strategy, root: string, reserved?: Plan['layout']['reserved']): Plan => ({
  strategy,
  ...{ neededBytes: 0, availableBytes: 0 },
  reasons: [],
  layout: {
    tmpfsBytes: 0,
    files: [],
    placements: [],
    kernel: 'vmlinuz',
    initrd: 'initrd.img',
    root,
    room: undefined,
    reserved,
  },
});
const pmem = plan('pmem', 'pmem:/dev/pmem0', { start: 640 * MIB, lengthBytes: 144 * MIB });

const compose = (cmdline: string, plan: Plan, append: string): string =>
  composeCmdline(cmdline, { plan, append, seal: undefined });

test('the strategies, as the boot script of the real system reads them', () => {
  assert.equal(
    compose('console=ttyS0 quiet', pmem, 'debug=1'),
    'console=ttyS0 quiet boot=swarmboot swarmboot.root=pmem:/dev/pmem0 memmap=144M!0x28000000 root=tmpfs debug=1',
  );
  assert.equal(
    compose('', plan('retain', 'initrd:4096'), ''),
    'boot=swarmboot swarmboot.root=initrd:4096 retain_initrd root=tmpfs',
  );
  assert.equal(
    compose('', plan('cpio', 'file:/swarmboot/root.squashfs'), ''),
    'boot=swarmboot swarmboot.root=file:/swarmboot/root.squashfs root=tmpfs',
  );
});

test('2047 characters are taken, 2048 refused', () => {
  const fixed = compose('', pmem, '').length + 1;
  assert.equal(compose('x'.repeat(2047 - fixed), pmem, '').length, 2047);
  assert.throws(() => compose('x'.repeat(2048 - fixed), pmem, ''), {
    code: 'cmdline-too-long',
    message: /2048 characters, the kernel takes 2047/,
  });
});

test('a sealed root: what dm-verity needs', () => {
  const rootHash = '5a'.repeat(32);
  assert.match(
    composeCmdline('', { plan: pmem, append: '', seal: { rootHash, dataBlocks: 25600 } }),
    new RegExp(` swarmboot\\.root=pmem:/dev/pmem0 swarmboot\\.verity=${rootHash}:25600 `),
  );
});
