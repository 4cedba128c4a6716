import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Assignment, SCOPES, type Scope } from '../../../server/assignments/assignment.ts';
import { type Question, resolve } from '../../../server/assignments/resolve.ts';

const mac = '52:54:00:aa:00:06';
const KEYS: Readonly<Record<Scope, string>> = {
  ...{ machine: mac, group: 'lab1', subnet: '10.0.0.0/16', arch: 'amd64', default: '' },
};
const give = (scope: Scope, fields: Partial<Assignment>, key = KEYS[scope]): Assignment => ({
  ...{ target: { scope, key }, image: undefined, parameters: undefined },
  ...{ systemParameters: undefined, menuSeconds: undefined },
  ...fields,
});
const images = ['a-default', 'by-arch', 'by-group', 'by-machine', 'by-subnet', 'once'].map((name) => ({
  name,
  arch: 'amd64' as const,
}));
const ask = (fields: Partial<Question> = {}) =>
  resolve({
    ...{ mac, group: 'lab1', ip: '10.0.0.9', arch: 'amd64', next: undefined, picked: undefined },
    ...{ assignments: [], images, serverImage: undefined, serverParameters: [] },
    ...fields,
  });
const all = [
  give('default', { image: 'a-default' }),
  give('arch', { image: 'by-arch' }),
  give('subnet', { image: 'by-subnet' }),
  give('group', { image: 'by-group' }),
  give('machine', { image: 'by-machine' }),
];

test('the most specific assignment decides, one after the other, whatever their order', () => {
  const order = ['by-machine', 'by-group', 'by-subnet', 'by-arch', 'a-default'];
  for (const [index, expected] of order.entries()) {
    const left = all.slice(0, all.length - index);
    assert.equal(ask({ assignments: left }).image, expected);
    assert.equal(ask({ assignments: left.toReversed() }).image, expected);
  }
  assert.equal(ask({ serverImage: 'by-arch' }).image, 'by-arch');
  assert.equal(ask().image, 'a-default', 'the first by name');
});

test('others are not meant; of two subnets the smaller one wins', () => {
  const others = [
    give('machine', { image: 'by-machine' }, '52:54:00:aa:00:07'),
    give('group', { image: 'by-group' }, 'lab2'),
    give('subnet', { image: 'by-subnet' }, '10.9.0.0/16'),
    give('arch', { image: 'by-arch' }, 'arm64'),
  ];
  assert.equal(ask({ assignments: others }).image, 'a-default');
  const two = [give('subnet', { image: 'by-subnet' }), give('subnet', { image: 'once' }, '10.0.0.0/24')];
  assert.equal(ask({ assignments: two }).image, 'once');
  assert.equal(ask({ assignments: two, ip: '10.0.1.9' }).image, 'by-subnet');
  assert.equal(ask({ assignments: all, mac: undefined, group: undefined, ip: undefined }).image, 'by-arch');
});

test('a one-shot boot goes before all; what was picked counts only where a menu was offered', () => {
  const once = ask({ assignments: all, next: 'once', picked: 'by-arch' });
  assert.deepEqual([once.image, once.once, once.reason], ['once', true, 'one-shot next boot']);
  const menu = give('default', { menuSeconds: 5 });
  assert.equal(ask({ assignments: [...all.slice(1), menu], picked: 'once' }).image, 'once');
  assert.equal(ask({ assignments: all, picked: 'once' }).image, 'by-machine');
  assert.equal(ask({ assignments: [menu], picked: 'not-there' }).image, 'a-default');
  const off = [menu, give('machine', { menuSeconds: 0 })];
  assert.equal(ask({ assignments: off }).menuSeconds, 0, 'the more specific setting turns it off');
});

test('an image that is not published is waited for, one of another architecture passed over, and both are told', () => {
  const missing = ask({
    assignments: [give('group', { image: 'gone' }), give('default', { image: 'once' })],
  });
  assert.deepEqual([missing.image, missing.problem], [undefined, 'image gone (group lab1) is not published']);
  const mixed = [...images, { name: 'arm', arch: 'arm64' as const }];
  const arm = ask({ arch: 'arm64', images: mixed, assignments: all });
  assert.equal(arm.image, 'arm');
  assert.match(
    arm.steps.join('\n'),
    /machine 52:54:00:aa:00:06: image by-machine is for amd64, this machine is arm64: passed over/,
  );
  assert.match(ask({ arch: 'arm64' }).problem ?? '', /no image is for arm64 \(a-default is for amd64\)/);
  assert.match(ask({ images: [] }).problem ?? '', /the server has no image yet/);
});

test('the reasons say what was considered, in order', () => {
  const { steps } = ask({
    assignments: [give('group', { image: 'by-group', menuSeconds: 9 })],
    serverImage: 'once',
  });
  assert.deepEqual(steps, [
    'group lab1: image by-group: taken',
    'image of "swarmboot serve --image": image once, not needed any more',
    'first image by name for amd64: image a-default, not needed any more',
    'group lab1: menu for 9 seconds',
  ]);
});

test('parameters of all levels are added up, the most specific last; swarmboot.append becomes one', () => {
  const answer = ask({
    serverParameters: ['console=ttyS0 swarmboot.append=quiet'],
    assignments: [
      give('machine', { parameters: 'swarmboot.linger=5', systemParameters: 'nomodeset' }),
      give('default', { parameters: 'swarmboot.linger=60', systemParameters: 'panic=9' }),
    ],
  });
  assert.deepEqual(answer.parameters, ['console=ttyS0', 'swarmboot.linger=60', 'swarmboot.linger=5']);
  assert.equal(answer.systemParameters, 'quiet panic=9 nomodeset');
});

test('too many parameters: the most general are left out, and that is told', () => {
  const long = 'x'.repeat(200);
  const answer = ask({
    serverParameters: [long],
    assignments: SCOPES.map((scope) => give(scope, { parameters: `${scope}=${long.slice(0, 180)}` })),
  });
  assert.deepEqual(
    answer.parameters.map((word) => word.split('=')[0]),
    ['subnet', 'group', 'machine'],
  );
  assert.match(
    answer.steps.join('\n'),
    /parameters of "serve --append" are left out: more than 600 characters/,
  );
});

test('whatever is assigned, the answer is a published image for the architecture or a problem', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ name, arch: fc.constantFrom('amd64' as const, 'arm64' as const) }), {
        selector: (image) => image.name,
      }),
      fc.uniqueArray(
        fc.record({ scope: fc.constantFrom(...SCOPES), image: fc.option(name, { nil: undefined }) }),
        { selector: (item) => item.scope },
      ),
      fc.option(name, { nil: undefined }),
      fc.constantFrom('amd64' as const, 'arm64' as const),
      (published, given, next, arch) => {
        const answer = ask({
          ...{ images: published, next, arch },
          assignments: given.map(({ scope, image }) =>
            give(scope, { image }, scope === 'arch' ? arch : KEYS[scope]),
          ),
        });
        const image = published.find((item) => item.name === answer.image);
        assert.equal(answer.image === undefined, answer.problem !== undefined);
        assert.ok(answer.image === undefined || image?.arch === arch);
        assert.ok(answer.steps.length > 0);
      },
    ),
  );
});
