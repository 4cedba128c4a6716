/**
 * The short texts of a boot: the kernel command line, a DHCP lease, what iPXE says of its machine, a Host header. The first
 * byte chooses.
 */
import assert from 'node:assert/strict';
import { isIPv4 } from 'node:net';
import { parse as parseQuery } from 'node:querystring';
import { LeaseError, parseLease } from '../../../agent/network/lease.ts';
import { parseCmdline } from '../../../contract/parameters.ts';
import { baseUrl, hostOf } from '../../../server/http/base-url.ts';
import { parseMachineQuery } from '../../../server/netboot/machine-query.ts';
import type { Target } from '../target.ts';

function cmdline(text: string): string {
  const { parameters, complaints, bootInterfaceMac } = parseCmdline(text);
  assert.ok(bootInterfaceMac === undefined || /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(bootInterfaceMac));
  for (const { host, port } of parameters.peers) assert.ok(host !== '' && port >= 1 && port <= 65_535);
  for (const url of [parameters.manifest, parameters.server])
    assert.ok(url === undefined || /^https?:\/\//.test(url));
  assert.ok(parameters.peers.length <= 64 && parameters.trackers.length <= 64);
  assert.ok(/^[\x20-\x7e]{0,512}$/.test(parameters.append));
  return `cmdline, ${complaints.length === 0 ? 'fine' : 'complaints'}, manifest ${parameters.manifest !== undefined}`;
}

function lease(text: string): string {
  try {
    const { address, prefixLength, routers, nameServers, server } = parseLease(text);
    for (const each of [address, ...routers, ...nameServers, ...(server === undefined ? [] : [server])])
      assert.ok(isIPv4(each), each);
    assert.ok(prefixLength >= 8 && prefixLength <= 32);
    assert.ok(routers.length <= 4 && nameServers.length <= 4);
    return `lease, ${routers.length} routers`;
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error;
    return 'lease, refused';
  }
}

function machine(text: string): string {
  const { mac, arch, archText, platform, uuid } = parseMachineQuery(parseQuery(text));
  assert.ok(mac === undefined || /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac));
  assert.ok(/^[a-z0-9_]{0,16}$/.test(archText), 'what is printed into an iPXE script needs no quoting');
  return `machine, ${mac !== undefined} ${arch} ${platform} ${uuid !== undefined}`;
}

function host(text: string): string {
  const url = baseUrl({ hostHeader: text, localAddress: '::ffff:10.0.0.1', localPort: 7080 }, undefined);
  assert.ok(/^http:\/\/[A-Za-z0-9.:[\]-]+$/.test(url), `${JSON.stringify(url)} can be put into a script`);
  assert.ok(hostOf(url).length > 0);
  return `host, ${url === 'http://10.0.0.1:7080' ? 'ours' : 'theirs'}`;
}

const PARSERS = [cmdline, lease, machine, host];
const seed = (kind: number, text: string): Buffer => Buffer.from(String.fromCharCode(kind) + text, 'latin1');

export const makeTarget = (): Target => ({
  sources: [
    'contract/parameters.ts',
    'agent/network/lease.ts',
    'server/netboot/machine-query.ts',
    'server/http/base-url.ts',
  ],
  seeds: [
    seed(0, 'quiet BOOTIF=01-52-54-00-12-34-56 swarmboot.manifest=http://10.0.0.1/images/lab/manifest.json'),
    seed(
      0,
      'swarmboot.peers=10.0.0.1:6881,[fe80::1]:5 swarmboot.trackers=udp://h:1/a swarmboot.linger=ratio:1.5',
    ),
    seed(
      0,
      'swarmboot.append="a b" swarmboot.handoff=pmem swarmboot.port=1 swarmboot.reboot=0 swarmboot.interface=eth0',
    ),
    seed(1, 'ip=10.0.0.5\nsubnet=255.255.255.0\nrouter=10.0.0.1 10.0.0.2\ndns=10.0.0.1\nserverid=10.0.0.1\n'),
    seed(2, 'mac=52:54:00:12:34:56&arch=x86_64&platform=efi&uuid=01234567-89ab-cdef-0123-456789abcdef'),
    seed(2, 'mac=52-54-00-12-34-56&arch=i386&platform=pcbios'),
    seed(3, 'boot.example:7080'),
    seed(3, '[fe80::1]:80'),
  ],
  dictionary: [
    'swarmboot.',
    '=',
    ' ',
    '"',
    '\n',
    ',',
    'http://',
    '[',
    ']:',
    'ip=',
    'subnet=',
    'router=',
    'dns=',
    '255.255.255.',
    'mac=',
    '&arch=',
    '%0a',
    '&mac=',
    '0x7f.1',
    '@',
    '%',
    '${',
  ],
  run(input) {
    if (input.length === 0) return 'empty';
    return PARSERS[input[0]! % PARSERS.length]!(input.toString('latin1', 1));
  },
});
