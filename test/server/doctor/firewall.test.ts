import assert from 'node:assert/strict';
import { test } from 'node:test';
import { droppedBy } from '../../../server/doctor/firewall.ts';

const chain = (name: string, fields: object = {}) => ({
  chain: { family: 'inet', table: 'filter', name, ...fields },
});
const input = (policy: string) => chain('input', { hook: 'input', prio: 0, policy });
const rule = (of: string, ...expr: object[]) => ({
  rule: { family: 'inet', table: 'filter', chain: of, expr },
});
const dport = (protocol: string, right: unknown) => ({
  match: { op: '==', left: { payload: { protocol, field: 'dport' } }, right },
});
const of = (...nftables: object[]) => ({ nftables });
const tftp = { protocol: 'udp', port: 69 } as const;
const accept = { accept: null };
const drop = { drop: null };

test('no rules, and a policy', () => {
  assert.equal(droppedBy(of(), tftp, undefined), undefined);
  assert.equal(droppedBy({}, tftp, undefined), undefined);
  assert.equal(droppedBy(of(input('accept')), tftp, undefined), undefined);
  assert.equal(droppedBy(of(input('drop')), tftp, undefined), 'inet filter input');
  const forward = chain('forward', { hook: 'forward', prio: 0, policy: 'drop' });
  assert.equal(droppedBy(of(forward), tftp, undefined), undefined);
});

test('ports alone, in sets and in ranges; the first rule that fits decides', () => {
  for (const right of [69, { set: [22, 69] }, { range: [60, 70] }, { set: [22, { range: [60, 70] }] }]) {
    assert.equal(
      droppedBy(of(input('drop'), rule('input', dport('udp', right), accept)), tftp, undefined),
      undefined,
    );
    assert.equal(
      droppedBy(of(input('accept'), rule('input', dport('udp', right), drop)), tftp, undefined),
      'inet filter input',
    );
  }
  const tcpOnly = of(input('drop'), rule('input', dport('tcp', 69), accept));
  assert.equal(droppedBy(tcpOnly, tftp, undefined), 'inet filter input');
  const both = of(input('drop'), rule('input', dport('udp', 69), accept), rule('input', drop));
  assert.equal(droppedBy(both, tftp, undefined), undefined);
});

test('rules for established connections and other interfaces do not let strangers in', () => {
  const state = { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } };
  const lo = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'lo' } };
  const eth0 = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'eth0' } };
  const rules = of(
    input('drop'),
    rule('input', state, accept),
    rule('input', lo, accept),
    rule('input', eth0, accept),
  );
  assert.equal(droppedBy(rules, tftp, undefined), 'inet filter input');
  assert.equal(droppedBy(rules, tftp, 'eth0'), undefined);
});

test('other chains are followed, a loop of them ends, and any input chain can drop', () => {
  const jump = (target: string) => ({ jump: { target } });
  const jumping = of(
    input('drop'),
    chain('lan'),
    rule('input', jump('lan')),
    rule('lan', dport('udp', 69), accept),
  );
  assert.equal(droppedBy(jumping, tftp, undefined), undefined);
  const loop = of(input('drop'), chain('lan'), rule('input', jump('lan')), rule('lan', jump('lan')));
  assert.equal(droppedBy(loop, tftp, undefined), 'inet filter input');
  const second = chain('late', { hook: 'input', prio: 10, policy: 'drop' });
  assert.equal(droppedBy(of(input('accept'), second), tftp, undefined), 'inet filter late');
});
