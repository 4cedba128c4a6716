/**
 * Images that were not made for swarmboot, to the login: Debian 12 with its kernel 6.1, initrds that dracut made, Debian
 * Live. Past firmware and iPXE, which are the same for all.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { bootToLogin } from '../../../qemu/boot-to-login.ts';
import { PATIENCE, PATIENCE_252, withLab } from '../../../qemu/lab.ts';
import type { Credentials } from '../../../qemu/login.ts';
import { SEED_PACKAGES } from '../../../server/image/seed-content.ts';
import { DRACUT_13, type ForeignImage, LIVE_13, LIVE_CREDENTIALS, publishForeign } from '../foreign-image.ts';
import { CONFIG, CREDENTIALS, IMAGE, prepare, STATE, startStage1 } from '../prepare.ts';
import { allSeed } from '../second-wave.ts';

/** live-config alone takes five minutes of an emulated processor. */
const LOGIN_TIMEOUT_MS = 20 * 60_000;
/** A shell of a busy emulated machine. */
const STEP_TIMEOUT_MS = 240_000;
const HOST = 'pc07';

interface Case {
  readonly image: string;
  readonly publish: () => void;
  readonly credentials?: Credentials;
  readonly strategy: 'pmem' | 'retain' | 'cpio';
  readonly memoryMiB: number;
  readonly patience?: string;
  /** Stage-1 brings the seeder along, which these images do not have. */
  readonly brings?: boolean;
  /** What the login must find besides: a command of the shell, and what it prints. */
  readonly command?: readonly [string, RegExp];
}

const foreign = (image: ForeignImage) => ({ image: image.name, publish: () => publishForeign(image) });

/** `swarmboot image build`, with `more` of its options. */
function publishBuilt(name: string, more: readonly string[]): void {
  const account = ['--user', CREDENTIALS.user, '--password', CREDENTIALS.password];
  execFileSync(
    join(import.meta.dirname, '../../../bin/swarmboot'),
    [
      ...['image', 'build', '--name', name, ...account, '--size', 'small', ...more],
      ...['--state', STATE, '--config', CONFIG, '--keep', '1'],
      ...['--cache', join(import.meta.dirname, '../../../.cache/images')],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], timeout: 20 * 60_000 },
  );
}

/** The Debian before. */
const BOOKWORM = {
  image: 'bookworm',
  publish: () => publishBuilt('bookworm', ['--suite', 'bookworm']),
  patience: PATIENCE_252,
};
/** The lab's image as it is before the seeder is added: the same recipe, which is in the cache. */
const NO_SEEDER = {
  image: 'no-seeder',
  publish: () =>
    publishBuilt('no-seeder', ['--no-seed', '--hostname', IMAGE, '--include', SEED_PACKAGES.join(',')]),
};

const CASES: readonly Case[] = [
  { ...NO_SEEDER, strategy: 'pmem', memoryMiB: 1280, brings: true },
  {
    ...{ ...BOOKWORM, strategy: 'pmem', memoryMiB: 1280 },
    // The lease of stage-1, once.
    command: [
      'cat /run/systemd/network/*lease.network; ip -4 -o addr show scope global',
      /^Address=(\S+)$(?=[\s\S]* inet \1 )(?![\s\S]* inet [\s\S]* inet )/m,
    ],
  },
  // Linux 6.1 cannot retain its initrd.
  { ...BOOKWORM, strategy: 'cpio', memoryMiB: 2560 },
  {
    ...foreign(LIVE_13),
    credentials: LIVE_CREDENTIALS,
    strategy: 'pmem',
    memoryMiB: 1536,
    brings: true,
    // What live-config did, and what live-boot would have done.
    command: [
      'ls /var/lib/live/config; cat /etc/fstab /etc/network/interfaces',
      /user-setup[\s\S]*^tmpfs \/tmp tmpfs[\s\S]*^iface e\S+ inet dhcp/m,
    ],
  },
  { ...foreign(DRACUT_13), strategy: 'pmem', memoryMiB: 1536, brings: true },
  { ...foreign(DRACUT_13), strategy: 'retain', memoryMiB: 2560 },
];

describe('an image that Debian made', () => {
  let host: AcceleratorDecision;
  const published = new Set<string>();
  before(async () => {
    host = await prepare();
  });

  for (const wanted of CASES) {
    const { image, publish, credentials = CREDENTIALS, strategy, memoryMiB, brings, command } = wanted;
    const { patience = PATIENCE } = wanted;
    it(`${image}, by ${strategy}`, async () => {
      if (!published.has(image)) publish();
      published.add(image);
      const options = {
        ...{ accelerator: host.accelerator, state: STATE, config: CONFIG, image },
        serverArguments: brings ? ['--append', 'swarmboot.seed=bring'] : [],
      };
      await withLab({ ...options, machines: 1, memoryMiB }, async (lab) => {
        const more = `swarmboot.handoff=${strategy} swarmboot.linger=0 swarmboot.hostname=${HOST} swarmboot.append="${patience} loglevel=5"`;
        const machine = await startStage1(lab, 0, more);
        const outcome = await bootToLogin(machine, { credentials, timeoutMs: LOGIN_TIMEOUT_MS });
        assert.ok(outcome.ok, outcome.failure ?? 'failed');
        assert.equal(outcome.timeline.handoff, strategy);
        assert.equal(outcome.facts?.squashfsSource, strategy === 'pmem' ? '/dev/pmem0' : '/dev/loop0');
        assert.match(
          outcome.facts?.cmdline ?? '',
          / loglevel=5\b/,
          "the machine's own kernel parameters arrive",
        );
        await machine.expect(new RegExp(`^${HOST} login: `, 'm'), { from: 0, timeoutMs: 1000 });
        if (brings) await allSeed(lab, [machine.mac]);
        if (!command) return;
        const [asked, answer] = command;
        machine.send(`${asked}; t=swb; echo "$t-told="\r`);
        const { match } = await machine.expect(/[\s\S]*^swb-told=/m, { timeoutMs: STEP_TIMEOUT_MS });
        assert.match(match[0], answer);
      });
    });
  }
});
