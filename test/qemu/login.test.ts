import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaintAbout, LOGIN_PROMPT, parseFacts } from '../../qemu/login.ts';

const OUTPUT = `swb-kernel=6.12.48+deb13-amd64
swb-mount=swarmboot / overlay rw,relatime,lowerdir=/run/swarmboot/image 0 0
swb-mount=/dev/pmem0 /run/swarmboot/image squashfs ro,relatime 0 0
swb-cmdline=console=ttyS0 boot=swarmboot swarmboot.root=pmem:/dev/pmem0
swb-end=`;

it('reads the facts of a system', () => {
  assert.deepEqual(parseFacts(OUTPUT), {
    kernelRelease: '6.12.48+deb13-amd64',
    rootType: 'overlay',
    squashfsSource: '/dev/pmem0',
    cmdline: 'console=ttyS0 boot=swarmboot swarmboot.root=pmem:/dev/pmem0',
  });
});

it('does not take the echo of its own command for facts', () => {
  const echo = 'demo@demo:~$ t=swb; uname -r | sed "s/^/$t-kernel=/"; echo "$t-end="';
  assert.equal(parseFacts(echo).kernelRelease, '');
});

describe('complaintAbout', () => {
  const facts = parseFacts(OUTPUT);
  const sealed = { ...facts, cmdline: `${facts.cmdline} swarmboot.verity=5a:100` };
  const CASES: readonly [string, Parameters<typeof complaintAbout>, RegExp | undefined][] = [
    ['the right system', [facts, { handoff: 'pmem', kernelRelease: '6.12.48+deb13-amd64' }], undefined],
    ['another handoff', [facts, { handoff: 'cpio' }], /squashfs is on \/dev\/pmem0/],
    ['another kernel', [facts, { handoff: 'pmem', kernelRelease: '6.1' }], /not 6\.1 of the image/],
    ['no overlay', [{ ...facts, rootType: 'rootfs' }, { handoff: 'pmem' }], /root is rootfs/],
    ['no squashfs', [{ ...facts, squashfsSource: undefined }, { handoff: 'pmem' }], /no squashfs/],
    ['a sealed root', [{ ...sealed, squashfsSource: '/dev/dm-0' }, { handoff: 'pmem' }], undefined],
    ['a sealed root that is not checked', [sealed, { handoff: 'pmem' }], /squashfs is on \/dev\/pmem0/],
    ['silence', [parseFacts(''), { handoff: 'pmem' }], /root is unknown/],
  ];
  for (const [name, args, expected] of CASES)
    it(name, () => {
      const complaint = complaintAbout(...args);
      if (expected) assert.match(complaint ?? '', expected);
      else assert.equal(complaint, undefined);
    });
});

it('knows a getty from prose', () => {
  assert.match('boot messages\ndemo login: ', LOGIN_PROMPT);
  assert.doesNotMatch('Last login: today', LOGIN_PROMPT);
});
