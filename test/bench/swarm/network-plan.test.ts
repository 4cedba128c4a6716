import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressOf,
  leftovers,
  namespaceName,
  networkCommands,
  ownerOf,
  sentBytesByPort,
  shapingArguments,
} from '../../../bench/swarm/network-plan.ts';

test('a name tells its owner, and only ours do', () => {
  assert.equal(ownerOf(namespaceName(4711, 'hub')), 4711);
  assert.equal(ownerOf(namespaceName(4711, 12)), 4711);
  for (const other of ['swb-4711-1', 'sbn-4711', 'sbn-x-1', 'mysbn-4711-1', 'sbn-4711-1-more'])
    assert.equal(ownerOf(other), undefined, other);
});

test('leftovers are those whose owner is gone', () => {
  const names = [namespaceName(1, 'hub'), namespaceName(2, 0), 'somebody-elses', namespaceName(2, 3)];
  assert.deepEqual(
    leftovers(names, (pid) => pid === 1),
    [namespaceName(2, 0), namespaceName(2, 3)],
  );
});

test('every place has an address of its own, up to a bound', () => {
  const addresses = Array.from({ length: 251 }, (_, place) => addressOf(place));
  assert.equal(new Set(addresses).size, 251);
  assert.equal(addresses[0], '10.79.0.1');
  for (const place of [-1, 251, 0.5]) assert.throws(() => addressOf(place), RangeError);
});

test('a link is shaped at both of its ends, at the rate of its place', () => {
  const commands = networkCommands(7, [50e6, 100e6, 5e6]);
  const shaped = commands
    .filter(({ argv }) => argv[0] === 'tc')
    .map(({ namespace, argv }) => [namespace, argv[argv.indexOf('dev') + 1], argv[argv.indexOf('rate') + 1]]);
  assert.deepEqual(shaped, [
    ['sbn-7-0', 'eth0', '50000000bit'],
    ['sbn-7-hub', 'port0', '50000000bit'],
    ['sbn-7-1', 'eth0', '100000000bit'],
    ['sbn-7-hub', 'port1', '100000000bit'],
    ['sbn-7-2', 'eth0', '5000000bit'],
    ['sbn-7-hub', 'port2', '5000000bit'],
  ]);
});

test('a namespace is made before anything happens in it', () => {
  const made = new Set<string | undefined>([undefined]);
  for (const { namespace, argv } of networkCommands(7, [1e6, 1e6])) {
    assert(made.has(namespace), `${argv.join(' ')} in ${namespace}`);
    if (argv.slice(0, 3).join(' ') === 'ip netns add') made.add(argv[3]);
  }
  assert.equal(made.size, 4);
});

test('a burst holds what a timer may oversleep, and never less than some frames', () => {
  const burst = (rate: number): string => {
    const argv = shapingArguments('eth0', rate);
    return argv[argv.indexOf('burst') + 1] ?? '';
  };
  assert.equal(burst(10e6), '73728b');
  assert.equal(burst(1e9), '250000b');
});

test('bytes are those of the shaper of each device', () => {
  const json = JSON.stringify([
    { kind: 'noqueue', dev: 'br0', bytes: 1, drops: 0 },
    { kind: 'tbf', dev: 'port0', bytes: 1514, drops: 0 },
    { kind: 'tbf', dev: 'port1', bytes: 66, drops: 3 },
  ]);
  assert.deepEqual(
    [...sentBytesByPort(json)],
    [
      ['port0', 1514],
      ['port1', 66],
    ],
  );
});
