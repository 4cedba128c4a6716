import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findRival, rivalOption } from '../../../server/setup/dnsmasq-rivals.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder('rivals');
const snippet = join(folder, 'swarmboot.conf');

test('what dnsmasq takes only once is found, comments and other options are not', () => {
  assert.equal(rivalOption('port=0\n'), 'port');
  assert.equal(rivalOption('enable-tftp\n  tftp-root = /srv/tftp\n'), 'tftp-root');
  assert.equal(rivalOption('bind-interfaces\n'), 'bind-interfaces');
  assert.equal(rivalOption('#port=0\nport-limit=1\ndhcp-range=10.0.0.1,proxy\n'), undefined);
});

test('the other files of the folder that dnsmasq reads', () => {
  assert.equal(findRival(join(folder, 'missing/swarmboot.conf')), undefined);
  writeFileSync(snippet, 'port=0\n');
  writeFileSync(join(folder, 'site.conf.dpkg-old'), 'port=0\n');
  writeFileSync(join(folder, 'notes~'), 'port=0\n');
  writeFileSync(join(folder, 'domain.conf'), 'domain=example.org\n');
  mkdirSync(join(folder, 'more'));
  assert.equal(findRival(snippet), undefined);
  writeFileSync(join(folder, 'site.conf'), 'tftp-root=/srv\n');
  assert.deepEqual(findRival(snippet), {
    path: join(folder, 'site.conf'),
    option: 'tftp-root',
    outcome: 'dnsmasq serves one folder by TFTP',
    ltsp: false,
  });
  writeFileSync(join(folder, 'ltsp-dnsmasq.conf'), 'port=0\n');
  assert.equal(findRival(snippet)?.ltsp, true);
});
