import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chooseInterfaces,
  ethernetWithoutDriver,
  type Interface,
  scanInterfaces,
} from '../../../agent/network/interfaces.ts';
import { fakeMachine } from '../fakes.ts';
import { addNic } from './fake-nic.ts';

test('only wired interfaces with hardware behind them are seen', (context) => {
  const machine = fakeMachine(context);
  addNic(machine, 'eth0', '52:54:00:AA:00:01', '1');
  addNic(machine, 'eth1', '52:54:00:aa:00:02', '0');
  addNic(machine, 'eth2', '52:54:00:aa:00:03', undefined);
  addNic(machine, 'wlan0', '52:54:00:aa:00:04', '1');
  machine.link('/sys/class/net/wlan0/phy80211', '/sys/devices/phy0');
  machine.file('/sys/class/net/lo/type', '772\n');
  machine.file('/sys/class/net/br0/type', '1\n');
  machine.file('/sys/class/net/br0/address', '52:54:00:aa:00:05\n');
  assert.deepEqual(scanInterfaces(machine), [
    { name: 'eth0', mac: '52:54:00:aa:00:01', carrier: 'yes' },
    { name: 'eth1', mac: '52:54:00:aa:00:02', carrier: 'no' },
    { name: 'eth2', mac: '52:54:00:aa:00:03', carrier: 'unknown' },
  ]);
});

const nic = (name: string, mac: string): Interface => ({ name, mac, carrier: 'unknown' });
const all = [nic('eth0', '52:54:00:aa:00:01'), nic('eth1', '52:54:00:aa:00:02')];

test('swarmboot.interface binds, by name and by MAC', () => {
  for (const wanted of ['eth1', '52:54:00:AA:00:02']) {
    assert.deepEqual(chooseInterfaces(all, wanted, '52:54:00:aa:00:01', false).interfaces, [all[1]]);
  }
  assert.deepEqual(chooseInterfaces(all, 'eth9', '52:54:00:aa:00:01', false).interfaces, []);
});

test('BOOTIF is preferred, waited for, and given up', () => {
  assert.deepEqual(chooseInterfaces(all, undefined, '52:54:00:aa:00:02', true).interfaces, [all[1]]);
  assert.deepEqual(chooseInterfaces(all, undefined, '52:54:00:ff:00:09', true).interfaces, []);
  assert.deepEqual(chooseInterfaces(all, undefined, '52:54:00:ff:00:09', false).interfaces, all);
  assert.deepEqual(chooseInterfaces(all, undefined, undefined, true).interfaces, all);
});

test('Ethernet hardware without a driver is named by its PCI id', (context) => {
  const machine = fakeMachine(context);
  for (const [slot, kind, vendor, device] of [
    ['0000:00:1f.6', '0x020000', '0x8086', '0x15f3'],
    ['0000:01:00.0', '0x020000', '0x10ec', '0x8168'],
    ['0000:02:00.0', '0x030000', '0x1234', '0x1111'],
  ] as const) {
    machine.file(`/sys/bus/pci/devices/${slot}/class`, `${kind}\n`);
    machine.file(`/sys/bus/pci/devices/${slot}/vendor`, `${vendor}\n`);
    machine.file(`/sys/bus/pci/devices/${slot}/device`, `${device}\n`);
  }
  machine.link('/sys/bus/pci/devices/0000:01:00.0/driver', '/sys/bus/pci/drivers/r8169');
  assert.deepEqual(ethernetWithoutDriver(machine), ['8086:15f3 at 0000:00:1f.6']);
});
