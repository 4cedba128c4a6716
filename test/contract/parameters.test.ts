import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  PARAMETERS,
  parameterName,
  parseCmdline,
  parseEndpoint,
  parseLinger,
  splitCmdline,
} from '../../contract/parameters.ts';

test('defaults hold where the command line is silent', () => {
  const { parameters, complaints } = parseCmdline('quiet console=ttyS0');
  assert.equal(parameters.manifest, undefined);
  assert.deepEqual(parameters.linger, { kind: 'auto' });
  assert.equal(parameters.port, 6881);
  assert.deepEqual(complaints, []);
});

test('every parameter is read', () => {
  const { parameters, complaints, bootInterfaceMac } = parseCmdline(
    'initrd=initrd.img swarmboot.manifest=http://10.0.0.1:7080/images/a/manifest.json swarmboot.server=http://10.0.0.1:7080/ ' +
      'swarmboot.peers=10.0.0.1:6881,[fd77::1]:6882 swarmboot.trackers=udp://10.0.0.1:7080/announce swarmboot.interface=eth1 ' +
      'swarmboot.port=7000 swarmboot.linger=ratio:1.5 swarmboot.handoff=cpio "swarmboot.append=quiet debug" swarmboot.hostname=pc01 swarmboot.overlay=75% ' +
      'swarmboot.network-timeout=90 swarmboot.retry-timeout=120 swarmboot.reboot=0 swarmboot.seed=off swarmboot.seed-rate=3 swarmboot.verity=on BOOTIF=01-52-54-00-AA-BB-CC\n',
  );
  assert.deepEqual(complaints, []);
  assert.equal(bootInterfaceMac, '52:54:00:aa:bb:cc');
  assert.deepEqual(parameters, {
    manifest: 'http://10.0.0.1:7080/images/a/manifest.json',
    server: 'http://10.0.0.1:7080/',
    peers: [
      { host: '10.0.0.1', port: 6881 },
      { host: 'fd77::1', port: 6882 },
    ],
    trackers: ['udp://10.0.0.1:7080/announce'],
    interface: 'eth1',
    port: 7000,
    linger: { kind: 'ratio', ratio: 1.5 },
    handoff: 'cpio',
    append: 'quiet debug',
    hostname: 'pc01',
    overlay: '75%',
    verity: true,
    networkTimeout: 90,
    retryTimeout: 120,
    reboot: 0,
    seed: 'off',
    seedRate: 3,
  });
});

test('an unknown or wrong parameter is named, and the default stays', () => {
  const { parameters, complaints } = parseCmdline(
    'swarmboot.lingre=5 swarmboot.port=99999 swarmboot.handoff=magic BOOTIF=none',
  );
  assert.equal(complaints.length, 4);
  assert.match(
    complaints[0] ?? '',
    /Unknown parameter "swarmboot.lingre" is ignored; those that exist: .*swarmboot\.linger /,
  );
  assert.match(
    complaints[1] ?? '',
    /"swarmboot.port=99999" is ignored: swarmboot.port takes a port from 1 to 65535/,
  );
  assert.match(complaints[2] ?? '', /"auto", "pmem", "retain" or "cpio"/);
  assert.match(complaints[3] ?? '', /BOOTIF=none/);
  assert.equal(parameters.port, 6881);
});

test('words are split as the kernel splits them', () => {
  assert.deepEqual(splitCmdline('a=1  b="x y" "c=z w" d\n'), ['a=1', 'b=x y', 'c=z w', 'd']);
});

test('endpoints and linger', () => {
  assert.deepEqual(parseEndpoint('lab-server.local:6881'), { host: 'lab-server.local', port: 6881 });
  for (const wrong of ['10.0.0.1', '10.0.0.1:0', '10.0.0.1:70000', 'a b:1', 'fd77::1:6881', ':1']) {
    assert.throws(() => parseEndpoint(wrong), /HOST:PORT/);
  }
  // GSoC 2018 BootTorrent turned a seeding default of 30 s into 0 minutes: seconds are seconds here.
  assert.deepEqual(parseLinger('30'), { kind: 'seconds', seconds: 30 });
  assert.throws(() => parseLinger('30m'), /"auto", seconds, or "ratio:X"/);
});

test('names are kebab-case and the help is a sentence', () => {
  assert.equal(parameterName('networkTimeout'), 'swarmboot.network-timeout');
  for (const parameter of Object.values(PARAMETERS)) assert.match(parameter.help, /^[A-Z].*\.$/);
});

test('property: no command line throws, defaults included', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          fc.string().map((value) => `swarmboot.${value}`),
          fc.string().map((value) => `swarmboot.peers=${value}`),
        ),
      ),
      (words) => {
        const { parameters } = parseCmdline(words.join(' '));
        assert.ok(Array.isArray(parameters.peers));
      },
    ),
  );
});
