import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ExchangeKind, PeerExchangePlan } from '../../../torrent/policy/peer-exchange.ts';

const at = (host: string, port = 6881) => ({ host, port });
const member = (kind: ExchangeKind | undefined, host: string) => ({
  remote: at(host, 40_000),
  endpoint: at(host),
  kind,
});
const hosts = (plan: PeerExchangePlan, now: number) =>
  plan.take(now).map(({ to, added, dropped }) => ({
    to,
    added: added.map(({ endpoint }) => endpoint.host),
    dropped: dropped.map(({ host }) => host),
  }));

test('our own agents hear of each other at once, of changes in batches, of everybody once', () => {
  const plan = new PeerExchangePlan();
  plan.met(1, member('quick', '10.0.0.1'), 0);
  assert.deepEqual(hosts(plan, 0), []);
  plan.met(2, member('quick', '10.0.0.2'), 1000);
  assert.equal(plan.dueAt, 1000, 'the newcomer is told at once');
  assert.deepEqual(hosts(plan, 1000), [{ to: 2, added: ['10.0.0.1'], dropped: [] }]);
  plan.met(3, member('quick', '10.0.0.3'), 1010);
  assert.deepEqual(hosts(plan, 1149), [{ to: 3, added: ['10.0.0.1', '10.0.0.2'], dropped: [] }]);
  assert.deepEqual(hosts(plan, 1300), [
    { to: 1, added: ['10.0.0.2', '10.0.0.3'], dropped: [] },
    { to: 2, added: ['10.0.0.3'], dropped: [] },
  ]);
  assert.deepEqual(hosts(plan, 9000), []);
  assert.equal(plan.dueAt, undefined);
  plan.left(2, 9000);
  assert.deepEqual(hosts(plan, 9150), [
    { to: 1, added: [], dropped: ['10.0.0.2'] },
    { to: 3, added: [], dropped: ['10.0.0.2'] },
  ]);
});

test('others are told once a minute, fifty at most', () => {
  const plan = new PeerExchangePlan();
  plan.met(0, member('standard', '10.0.1.1'), 0);
  for (let key = 1; key <= 120; key++) plan.met(key, member(undefined, `10.0.0.${key}`), 10);
  assert.deepEqual(hosts(plan, 999), []);
  const told: number[] = [];
  for (let now = 0; now <= 200_000; now += 500) {
    for (const { added } of hosts(plan, now)) told.push(now, added.length);
  }
  assert.deepEqual(told, [1000, 50, 61_000, 50, 121_000, 20]);
});

test('who does not want to be told is told nothing, but told of', () => {
  const plan = new PeerExchangePlan();
  plan.met(1, member(undefined, '10.0.0.1'), 0);
  plan.met(2, member('quick', '10.0.0.2'), 0);
  assert.deepEqual(hosts(plan, 500), [{ to: 2, added: ['10.0.0.1'], dropped: [] }]);
});

test('where a peer listens may become known later', () => {
  const plan = new PeerExchangePlan();
  plan.met(1, { ...member(undefined, '10.0.0.1'), endpoint: undefined }, 0);
  plan.met(2, member('quick', '10.0.0.2'), 0);
  assert.deepEqual(hosts(plan, 0), []);
  plan.met(1, { ...member('quick', '10.0.0.1'), endpoint: undefined }, 5);
  assert.equal(plan.dueAt, 5, 'as soon as it says what it speaks');
  assert.deepEqual(hosts(plan, 500), [{ to: 1, added: ['10.0.0.2'], dropped: [] }]);
  plan.met(1, member('quick', '10.0.0.1'), 1000);
  assert.deepEqual(hosts(plan, 1150), [{ to: 2, added: ['10.0.0.1'], dropped: [] }]);
});

test('addresses that end at the machine or at the link are told where they are of use', () => {
  const plan = new PeerExchangePlan();
  plan.met(1, member('quick', '127.0.0.1'), 0);
  plan.met(2, member('quick', '10.0.0.2'), 0);
  plan.met(3, member('quick', 'fe80::3%eth0'), 0);
  plan.met(4, member('quick', 'fe80::4%eth0'), 0);
  plan.met(5, member('quick', 'fe80::5%eth1'), 0);
  plan.met(6, member('quick', '127.0.0.6'), 0);
  const told = new Map(hosts(plan, 500).map(({ to, added }) => [to, added]));
  assert.deepEqual(told.get(1), ['10.0.0.2', '127.0.0.6']);
  assert.deepEqual(told.get(2), undefined);
  assert.deepEqual(told.get(3), ['10.0.0.2', 'fe80::4%eth0']);
  assert.deepEqual(told.get(5), ['10.0.0.2']);
});

test('one peer may tell so much and no more', () => {
  const plan = new PeerExchangePlan();
  plan.met(1, member('standard', '10.0.0.1'), 0);
  plan.met(2, member('quick', '10.0.0.2'), 0);
  plan.met(3, member(undefined, '10.0.0.3'), 0);
  assert.equal(plan.admit(1, 150, 0), 150);
  assert.equal(plan.admit(1, 150, 0), 50);
  assert.equal(plan.admit(1, 150, 10_000), 10);
  assert.equal(plan.admit(2, 1000, 0), 200);
  assert.equal(plan.admit(2, 1000, 10_000), 50);
  assert.equal(plan.admit(2, 1000, 1e9), 200);
  assert.equal(plan.admit(3, 1, 0), 0, 'it does not speak it');
  assert.equal(plan.admit(9, 1, 0), 0);
});
