import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Plan, type PlanInput, planHandoff, type Refusal } from '../../../agent/handoff/plan.ts';
import { fileOfRole } from '../../../contract/manifest.ts';
import { goodManifest } from '../../contract/fixtures.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** A 2 GiB machine whose stage-1 was booted with memmap=400M%640M-1+12. */
const machine: PlanInput = {
  totalBytes: 1500 * MIB,
  availableBytes: 1300 * MIB,
  firmwareMap: [
    { start: 0, end: 0x9fbff, type: 'System RAM' },
    { start: 0xf0000, end: 0xfffff, type: 'Reserved' },
    { start: MIB, end: 2 * GIB - 1, type: 'System RAM' },
  ],
  pmem: [{ device: '/dev/pmem0', start: 640 * MIB, lengthBytes: 400 * MIB }],
  manifest: goodManifest,
  forced: 'auto',
  excluded: [],
};

function planned(input: PlanInput): Plan {
  const result = planHandoff(input);
  assert.ok('plan' in result, JSON.stringify(result));
  return result.plan;
}

function refused(input: PlanInput): Refusal {
  const result = planHandoff(input);
  assert.ok('refusal' in result, JSON.stringify(result));
  return result.refusal;
}

test('pmem is taken where its region is RAM, and reserves whole sections of 2 MiB', () => {
  const { strategy, layout } = planned(machine);
  assert.equal(strategy, 'pmem');
  // 150,000,000 bytes are 143.05 MiB.
  assert.deepEqual(layout.reserved, { start: 640 * MIB, lengthBytes: 144 * MIB });
  assert.deepEqual(layout.placements.at(-1), { file: 'root.squashfs', target: '/dev/pmem0', offset: 0 });
  assert.ok(layout.tmpfsBytes >= 42_000_000 && layout.tmpfsBytes < 60 * MIB);
});

test('the largest usable region is taken', () => {
  const pmem = [...machine.pmem, { device: '/dev/pmem1', start: 1200 * MIB, lengthBytes: 500 * MIB }];
  assert.equal(planned({ ...machine, pmem }).layout.placements.at(-1)?.target, '/dev/pmem1');
});

test('without pmem the root lies behind the initrd, which the kernel keeps', () => {
  const { strategy, layout, reasons } = planned({ ...machine, pmem: [] });
  assert.equal(strategy, 'retain');
  assert.match(reasons.join(' '), /pmem: no \/dev\/pmem here/);
  const [, initrd, root] = layout.placements;
  assert.equal(initrd?.target, layout.initrd);
  assert.equal(root?.target, layout.initrd);
  // 30,000,000 bytes, 256 KiB and an 8192th of the root for what the seeder needs, to the next page.
  assert.equal(root?.offset, 30_281_728);
  assert.equal(layout.root, 'initrd:30281728');
  assert.deepEqual(layout.room, { offset: 30_000_000, lengthBytes: 281_728 });
  assert.equal(layout.files.find((file) => file.name === layout.initrd)?.lengthBytes, 180_281_728);
});

test('a kernel that does not show its initrd gets the root in it', () => {
  const manifest = { ...goodManifest, kernelRelease: '6.1.0-37-amd64' };
  const { strategy, layout, reasons } = planned({ ...machine, pmem: [], manifest });
  assert.match(reasons.join(' '), /retain: kernel 6\.1\.0-37-amd64 is older than 6\.8/);
  assert.equal(strategy, 'cpio');
  assert.equal(layout.reserved, undefined);
  const [, initrd, root] = layout.placements;
  assert.equal(initrd?.target, root?.target);
  assert.ok(layout.files.some((file) => file.name === root?.target && file.literals.length === 2));
});

for (const [what, region] of [
  ['where no RAM is', { device: '/dev/pmem0', start: 4 * GIB, lengthBytes: 2 * GIB }],
  ['that begins between sections', { device: '/dev/pmem0', start: 640 * MIB + 4096, lengthBytes: 400 * MIB }],
  ['that is too small', { device: '/dev/pmem0', start: 640 * MIB, lengthBytes: 100 * MIB }],
  [
    'whose rounded end leaves RAM',
    { device: '/dev/pmem0', start: 2 * GIB - 142 * MIB, lengthBytes: 400 * MIB },
  ],
] as const) {
  test(`a region ${what} is not used`, () => {
    assert.equal(planned({ ...machine, pmem: [region] }).strategy, 'retain');
    assert.equal(
      refused({ ...machine, pmem: [region], forced: 'pmem' }).message.includes('/dev/pmem0'),
      true,
    );
  });
}

test('too little RAM is said with both numbers', () => {
  const { code, message } = refused({ ...machine, pmem: [], availableBytes: 300 * MIB });
  assert.equal(code, 'too-little-memory');
  // 3 * (30.3 + 150) + (2 + 5) * 12 million bytes, and 36 MiB of headroom.
  assert.match(message, /needs 632 MiB of RAM, 300 MiB is available/);
});

test('a machine below the minimum of the image is refused with both numbers', () => {
  const firmwareMap = [{ start: 0, end: 512 * MIB - 1, type: 'System RAM' }];
  const { code, message } = refused({ ...machine, firmwareMap });
  assert.equal(code, 'too-little-memory');
  assert.match(message, /needs a machine with 668 MiB of RAM, this one has 512 MiB/);
});

test('a strategy that failed, is not supported, or is not asked for is left out', () => {
  assert.equal(planned({ ...machine, excluded: ['pmem'] }).strategy, 'retain');
  assert.equal(planned({ ...machine, excluded: ['pmem', 'retain'] }).strategy, 'cpio');
  assert.equal(planned({ ...machine, forced: 'cpio' }).strategy, 'cpio');
  assert.equal(planned({ ...machine, manifest: { ...goodManifest, strategies: ['cpio'] } }).strategy, 'cpio');
  const none = refused({ ...machine, excluded: ['pmem', 'retain', 'cpio'] });
  assert.equal(none.code, 'no-strategy');
  assert.match(
    none.message,
    /pmem: failed earlier in this boot; retain: failed earlier in this boot; cpio: failed earlier/,
  );
});

test('a plan never promises what is not there', () => {
  const bytes = fc.integer({ min: 0, max: 8 * GIB });
  fc.assert(
    fc.property(
      bytes,
      bytes,
      bytes,
      fc.integer({ min: 1, max: 3 * GIB }),
      (available, start, size, rootLength) => {
        const manifest = {
          ...goodManifest,
          files: goodManifest.files.map((file) =>
            file.role === 'root' ? { ...file, length: rootLength } : file,
          ),
        };
        const pmem = [{ device: '/dev/pmem0', start, lengthBytes: size }];
        const result = planHandoff({ ...machine, availableBytes: available, pmem, manifest });
        if ('refusal' in result) return;
        const { layout, neededBytes } = result.plan;
        assert.ok(neededBytes <= available);
        assert.ok(layout.files.reduce((sum, file) => sum + file.lengthBytes, 0) <= layout.tmpfsBytes);
        for (const file of manifest.files) {
          const placement = layout.placements.find((candidate) => candidate.file === file.path);
          const room =
            layout.files.find((candidate) => candidate.name === placement?.target)?.lengthBytes ?? size;
          assert.ok(placement && placement.offset + file.length <= room);
        }
        if (layout.reserved) {
          assert.equal(layout.reserved.start % (2 * MIB), 0);
          assert.equal(layout.reserved.lengthBytes % (2 * MIB), 0);
          assert.ok(layout.reserved.lengthBytes >= fileOfRole(manifest, 'root').length);
          assert.ok(layout.reserved.start + layout.reserved.lengthBytes <= 2 * GIB);
        }
      },
    ),
  );
});
