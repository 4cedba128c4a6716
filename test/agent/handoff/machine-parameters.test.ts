import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineParameters } from '../../../agent/handoff/machine-parameters.ts';

const lease = {
  ...{ address: '10.0.0.5', prefixLength: 24, routers: ['10.0.0.1', '10.0.0.2'] },
  nameServers: ['10.0.0.3', '10.0.0.4'],
};
const mac = '52:54:00:aa:00:06';

test('the card and its lease always, the rest where it was given', () => {
  assert.equal(
    machineParameters({ append: '', hostname: undefined, overlay: undefined }, { mac, lease }),
    'BOOTIF=01-52-54-00-aa-00-06 swarmboot.lease=10.0.0.5/24,10.0.0.1,10.0.0.3,10.0.0.4',
  );
  assert.equal(
    machineParameters({ append: 'quiet', hostname: 'pc01', overlay: '2G' }, { mac, lease }),
    'quiet BOOTIF=01-52-54-00-aa-00-06 swarmboot.lease=10.0.0.5/24,10.0.0.1,10.0.0.3,10.0.0.4 ' +
      'swarmboot.hostname=pc01 swarmboot.overlay=2G',
  );
});

test('a network without router and name server', () => {
  const alone = { address: '10.0.0.5', prefixLength: 8, routers: [], nameServers: [] };
  assert.match(
    machineParameters({ append: '', hostname: undefined, overlay: undefined }, { mac, lease: alone }),
    /swarmboot\.lease=10\.0\.0\.5\/8,$/,
  );
});
