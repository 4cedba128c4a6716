import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CarryingMachine, carryBehindRoot } from '../../../agent/handoff/carry.ts';
import { type Plan, type PlanInput, planHandoff } from '../../../agent/handoff/plan.ts';
import { fileOfRole } from '../../../contract/manifest.ts';
import { goodManifest } from '../../contract/fixtures.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const machine: PlanInput & CarryingMachine = {
  totalBytes: 1500 * MIB,
  availableBytes: 1300 * MIB,
  firmwareMap: [{ start: MIB, end: 2 * GIB - 1, type: 'System RAM' }],
  pmem: [{ device: '/dev/pmem0', start: 640 * MIB, lengthBytes: 400 * MIB }],
  manifest: goodManifest,
  forced: 'auto',
  excluded: [],
  agentBytes: undefined,
};

function planOf(input: PlanInput): Plan {
  const result = planHandoff(input);
  assert.ok('plan' in result);
  return result.plan;
}

test('kernel and initrd follow the root, page by page, and the real kernel keeps all three', () => {
  const before = planOf(machine);
  const { plan, files } = carryBehindRoot(before, machine);
  const [kernel, initrd] = files;
  assert.ok(kernel && initrd);
  for (const { offset, target } of files) assert.deepEqual(target, { device: '/dev/pmem0', offset });
  const root = fileOfRole(goodManifest, 'root').length;
  assert.ok(kernel.offset >= root && kernel.offset % 4096 === 0 && initrd.offset % 4096 === 0);
  assert.ok(initrd.offset >= kernel.offset + fileOfRole(goodManifest, 'kernel').length);
  const reserved = plan.layout.reserved!;
  assert.ok(reserved.lengthBytes >= initrd.offset + fileOfRole(goodManifest, 'initrd').length);
  assert.equal(reserved.lengthBytes % (2 * MIB), 0);
  assert.deepEqual({ ...plan.layout, reserved: before.layout.reserved }, before.layout);
});

test('they go into the region that begins where the root image ends', () => {
  const pmem = [
    { device: '/dev/pmem1', start: 784 * MIB, lengthBytes: 42 * MIB },
    { ...machine.pmem[0]!, lengthBytes: 144 * MIB },
  ];
  const before = planHandoff({ ...machine, pmem: pmem.slice(1) });
  assert.ok('plan' in before);
  const { plan, files } = carryBehindRoot(before.plan, { ...machine, pmem });
  assert.deepEqual(
    files.map(({ offset, target }) => [target.device, target.offset, offset]),
    [
      ['/dev/pmem1', 0, 144 * MIB],
      ['/dev/pmem1', files[1]!.offset - 144 * MIB, files[1]!.offset],
    ],
  );
  assert.ok(plan.layout.reserved!.lengthBytes > 144 * MIB && plan.layout.reserved!.lengthBytes <= 186 * MIB);
});

test('the agent comes before kernel and initrd, and where those do not fit too', () => {
  const agentBytes = 31 * MIB + 1;
  const { plan, files, agent } = carryBehindRoot(planOf(machine), { ...machine, agentBytes });
  assert.ok(agent && agent.offset % 4096 === 0 && agent.lengthBytes === agentBytes);
  assert.ok(files.length === 2 && files.every(({ offset }) => offset >= agent.offset + agentBytes));
  assert.ok(plan.layout.reserved!.lengthBytes >= files[1]!.offset);
  const tight = {
    ...machine,
    agentBytes,
    pmem: [{ ...machine.pmem[0]!, lengthBytes: agent.offset + 32 * MIB }],
  };
  const alone = carryBehindRoot(planOf(machine), tight);
  assert.deepEqual([alone.files, alone.agent], [[], agent]);
  assert.ok(alone.plan.layout.reserved!.lengthBytes >= agent.offset + agentBytes);
});

for (const [what, change] of [
  ['the region ends before', { pmem: [{ ...machine.pmem[0]!, lengthBytes: 170 * MIB }] }],
  ['the machine has little RAM', { firmwareMap: [{ start: MIB, end: 600 * MIB, type: 'System RAM' }] }],
  ['its end is no RAM', { firmwareMap: [{ start: MIB, end: 800 * MIB, type: 'System RAM' }] }],
  ['the root is in no region', { pmem: [] }],
  [
    'the next region leaves a gap',
    {
      pmem: [
        { ...machine.pmem[0]!, lengthBytes: 144 * MIB },
        { device: '/dev/pmem1', start: 786 * MIB, lengthBytes: 100 * MIB },
      ],
    },
  ],
] as const) {
  test(`nothing is carried where ${what}`, () => {
    const before = planOf(machine);
    assert.deepEqual(carryBehindRoot(before, { ...machine, ...change }), {
      plan: before,
      files: [],
      agent: undefined,
    });
  });
}
