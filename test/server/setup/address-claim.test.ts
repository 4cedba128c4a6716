import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strangerIn } from '../../../server/setup/address-claim.ts';

const said = (...macs: string[]): string =>
  [
    'ARPING 10.0.0.1 from 0.0.0.0 eth0',
    ...macs.map((mac) => `Unicast reply from 10.0.0.1 [${mac}]  0.581ms`),
    'Sent 1 probes (1 broadcast(s))',
    `Received ${macs.length} response(s)`,
  ].join('\n');
const own = new Set(['52:54:00:00:00:0a']);

test('nobody answers', () => assert.equal(strangerIn(said(), own), undefined));
test('another machine answers', () =>
  assert.equal(strangerIn(said('52:54:00:00:00:FF'), own), '52:54:00:00:00:ff'));
test('this machine hears its own second card', () =>
  assert.equal(strangerIn(said('52:54:00:00:00:0A'), own), undefined));
test('both answer', () =>
  assert.equal(strangerIn(said('52:54:00:00:00:0A', '52:54:00:00:00:FF'), own), '52:54:00:00:00:ff'));
