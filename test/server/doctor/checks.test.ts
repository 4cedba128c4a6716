/** Each check with its fault made in a folder; ports, firewall and dnsmasq have theirs in test/system/doctor.test.ts. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyArchive } from '../../../contract/stage1-key.ts';
import { createKeyFiles } from '../../../server/catalog/keys.ts';
import {
  checkDnsmasq,
  checkImages,
  checkKey,
  checkServer,
  checkStage1,
} from '../../../server/doctor/checks.ts';
import type { Finding } from '../../../server/doctor/finding.ts';
import { withSite } from '../../../server/site.ts';
import { publishSmall } from '../published-image.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const optionsIn = (folder: string, nowMs = Date.now()) => ({
  ...{
    state: join(folder, 'state'),
    config: join(folder, 'config'),
    snippet: join(folder, 'swarmboot.conf'),
  },
  ...{ httpPort: 7080, seederPort: 6881, nowMs },
});
const only = (findings: readonly Finding[], level: Finding['level'], sentence: RegExp): void => {
  assert.deepEqual(
    findings.map((finding) => finding.level),
    [level],
    JSON.stringify(findings),
  );
  assert.match(findings[0]?.sentence ?? '', sentence);
  assert.equal(findings[0]?.fix === undefined, level === 'ok');
};

test('the key: there, private, and one pair', () => {
  const folder = temporaryFolder('doctor-key');
  const options = optionsIn(folder);
  only(checkKey(options), 'problem', /release\.sec does not exist/);
  createKeyFiles(options.config, false);
  only(checkKey(options), 'ok', /The release key is in/);
  chmodSync(join(options.config, 'release.sec'), 0o644);
  only(checkKey(options), 'problem', /Others can read .*release\.sec \(mode 644\)/);
  chmodSync(join(options.config, 'release.sec'), 0o600);
  createKeyFiles(join(folder, 'other'), false);
  writeFileSync(join(options.config, 'release.pub'), readFileSync(join(folder, 'other/release.pub')));
  only(checkKey(options), 'problem', /do not belong together/);
});

test("stage-1: there, and with this site's key", () => {
  const options = optionsIn(temporaryFolder('doctor-stage1'));
  createKeyFiles(options.config, false);
  only(checkStage1(options), 'problem', /There is no stage-1 in .*stage1\/amd64/);
  const folder = join(options.state, 'stage1/amd64');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'vmlinuz'), 'MZ');
  const initrd = Buffer.alloc(1001, 7);
  const archive = keyArchive(readFileSync(join(options.config, 'release.pub'), 'utf8'), initrd.length);
  writeFileSync(join(folder, 'initrd.img'), Buffer.concat([initrd, archive]));
  only(checkStage1(options), 'ok', /Stage-1 for amd64 has this site's key/);
  createKeyFiles(options.config, true);
  only(checkStage1(options), 'problem', /has another key: machines would refuse every image/);
});

test('images: none, good, soon expired, expired, damaged, and of a time that has not come', async () => {
  const folder = temporaryFolder('doctor-images');
  const now = optionsIn(folder);
  only(await checkImages(now), 'problem', /No image is published/);
  const { manifest } = await publishSmall(folder);
  only(await checkImages(now), 'ok', /^lab \S+ is signed and whole, and good for 89 days$/);
  const expiresMs = Date.parse(manifest.expires);
  only(await checkImages({ ...now, nowMs: expiresMs - 86_400_000 }), 'warning', /expires on/);
  only(
    await checkImages({ ...now, nowMs: expiresMs + 1000 }),
    'problem',
    /expired on .*: machines refuse it/,
  );
  const early = await checkImages({ ...now, nowMs: Date.parse('2020-01-01T00:00:00Z') });
  assert.deepEqual([early[0]?.check, early[0]?.level], ['clock', 'problem']);
  appendFileSync(join(now.state, 'images/lab', manifest.version, 'manifest.json'), ' ');
  only(await checkImages(now), 'problem', /Release lab \S+ in \S+ is not served/);
});

test('assignments of what is not published; a server that has never run, or that is gone', async () => {
  const folder = temporaryFolder('doctor-server');
  const options = optionsIn(folder);
  only(await checkServer(options), 'problem', /The server has never run/);
  withSite(options.state, (site) => {
    site.assignments.put({
      ...{ target: { scope: 'default', key: '' }, image: 'gone', menuSeconds: undefined },
      ...{ parameters: undefined, systemParameters: undefined },
    });
    site.db.exec("INSERT INTO server VALUES (1, 'http://127.0.0.1:1', NULL, 1, 1)");
  });
  assert.deepEqual(
    (await checkServer(options)).map(({ sentence }) => sentence),
    ['Image gone is assigned but not published: its machines wait', 'No answer from http://127.0.0.1:1'],
  );
});

test("dnsmasq's file: there, ours, and of an interface that exists", () => {
  const folder = temporaryFolder('doctor-dnsmasq');
  const options = optionsIn(folder);
  only(checkDnsmasq(options), 'problem', /swarmboot\.conf is missing/);
  writeFileSync(options.snippet, 'interface=eth0\n');
  only(checkDnsmasq(options), 'problem', /is not as "swarmboot dnsmasq" writes it/);
  const write = (iface: string, url: string): void =>
    writeFileSync(
      options.snippet,
      `interface=${iface}\ntftp-root=${folder}\ndhcp-range=10.0.0.1,proxy,255.255.255.0\ndhcp-boot=tag:ipxe,${url}/boot.ipxe\n`,
    );
  write('nope0', 'http://10.0.0.1:7080');
  only(checkDnsmasq(options), 'problem', /names interface nope0, which has no address or does not exist/);
  write('lo', 'http://10.0.0.1:7080');
  const sentences = checkDnsmasq(options).map(({ sentence }) => sentence);
  assert.match(sentences[0] ?? '', /Machines are sent to http:\/\/10\.0\.0\.1:7080, but lo has 127\.0\.0\.1/);
  assert.match(sentences[1] ?? '', /undionly\.kpxe is missing/);
  write('lo', 'http://127.0.0.1:7080');
  for (const name of ['undionly.kpxe', 'ipxe.efi']) writeFileSync(join(folder, name), 'x');
  const after = checkDnsmasq(options);
  assert.ok(
    after.every(({ level, sentence }) => level === 'ok' || sentence.includes('was started before')),
    JSON.stringify(after),
  );
  appendFileSync(options.snippet, 'pxe-service=tag:!ipxe,X86-64_EFI,"swarmboot",shimx64.efi\n');
  const shim = checkDnsmasq(options).filter(({ level }) => level === 'problem');
  assert.deepEqual(
    shim.flatMap(({ sentence }) => /^\S+ is missing/.exec(sentence) ?? []),
    ['shimx64.efi is missing', 'grubx64.efi is missing'],
  );
  assert.match(
    shim[0]?.fix ?? '',
    /^apt-get install shim-signed grub-efi-amd64-signed, then swarmboot setup --snippet \S+$/,
  );
  rmSync(options.snippet);
});

test("LTSP's dnsmasq: its menu must lead here, and ours must not stand beside it", () => {
  const folder = temporaryFolder('doctor-ltsp');
  const options = optionsIn(folder);
  const tftp = join(folder, 'tftp');
  writeFileSync(join(folder, 'ltsp-dnsmasq.conf'), `port=0\ntftp-root=${tftp}\n`);
  only(checkDnsmasq(options), 'problem', /its menu \S+\/tftp\/ltsp\/ltsp\.ipxe does not lead here/);
  mkdirSync(join(tftp, 'ltsp'), { recursive: true });
  writeFileSync(join(tftp, 'ltsp/ltsp.ipxe'), '#!ipxe\n:swarm\nchain x\n');
  only(checkDnsmasq(options), 'ok', /LTSP has DHCP/);
  writeFileSync(options.snippet, 'port=0\n');
  only(checkDnsmasq(options), 'problem', /\("port"\) stands beside .*: dnsmasq does not start with both/);
});
