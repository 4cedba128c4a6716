/**
 * How long a machine gives nothing to others while its real system boots, and what it costs that boot that the seeder
 * starts early: one machine for each weight that the service may have while the system starts (StartupCPUWeight= of
 * systemd.resource-control(5); the unit is server/image/seed/swarmboot-seed.service). The image is the same for all; the
 * weight comes on the kernel's command line, as a credential that systemd 256 makes a drop-in of
 * (systemd.system-credentials(7)).
 *
 * The machines run at the same time, so that whatever else the host does takes the same from each, and start with stage-1,
 * past firmware and iPXE. Without KVM the processor is emulated, ten times slower than a machine that one would boot:
 * compare the rows, and take no row for a machine's.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { chooseAccelerator } from '../qemu/accel.ts';
import { bootToLogin } from '../qemu/boot-to-login.ts';
import { type Lab, PATIENCE, withLab } from '../qemu/lab.ts';
import { type Gap, watchGiving } from '../test/vm/giving-gap.ts';
import { CONFIG, CREDENTIALS, IMAGE, STAGE1, STATE, startStage1 } from '../test/vm/prepare.ts';
import { describeHost, thisHost } from './host.ts';
import { formatRows, number } from './table.ts';

const UNIT = 'swarmboot-seed.service';
const LOGIN_MS = 10 * 60_000;
const NONE = 'none';
const USAGE = `Usage: scripts/bench seed [--weights 500,100]
  --weights  of the seeder while the system starts; "${NONE}" is a boot without the seeder`;

/** What makes the service start with this weight: one parameter of the real system's kernel. */
function startParameter(weight: string): string {
  if (weight === NONE) return `systemd.mask=${UNIT}`;
  const dropIn = Buffer.from(`[Service]\nStartupCPUWeight=${weight}\n`).toString('base64');
  return `systemd.set_credential_binary=systemd.unit-dropin.${UNIT}:${dropIn}`;
}

interface Row {
  readonly weight: string;
  /** From the agent's last word in stage-1 to the login prompt. */
  readonly bootSeconds: number;
  readonly gap: Gap | undefined;
}

async function measure(lab: Lab, index: number, weight: string): Promise<Row> {
  const append = `swarmboot.append="${PATIENCE} ${startParameter(weight)}"`;
  const machine = await startStage1(lab, index, `swarmboot.linger=8 ${append}`);
  const outcome = bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: LOGIN_MS });
  const watch = weight === NONE ? undefined : await watchGiving(lab, machine);
  const { ok, failure, timeline } = await outcome;
  assert.ok(ok, failure ?? 'failed');
  const gap = await watch?.gap(timeline);
  if (weight !== NONE) {
    const show = `systemctl show -p StartupCPUWeight -p NRestarts ${UNIT}`;
    machine.send(`${show}; t=swb; echo "$t-told="\r`);
    const { match } = await machine.expect(/^NRestarts=[\s\S]*^swb-told=/m, { timeoutMs: 120_000 });
    console.error(match[0]);
    assert.match(match[0], new RegExp(`^StartupCPUWeight=${weight}$`, 'm'));
  }
  return { weight, bootSeconds: timeline.phases.system ?? Number.NaN, gap };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { weights: { type: 'string', default: '500,100' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const { accelerator } = await chooseAccelerator('auto', `${STAGE1}/vmlinuz`);
  const weights = values.weights.split(',');
  const options = { accelerator, state: STATE, config: CONFIG, image: IMAGE };
  const rows = await withLab({ ...options, machines: weights.length }, (lab) =>
    Promise.all(weights.map((weight, index) => measure(lab, index, weight))),
  );
  console.log(`${describeHost(thisHost())}, accelerator ${accelerator}\n`);
  console.log(
    formatRows<Row>(
      [
        { head: 'weight', cell: ({ weight }) => weight },
        { head: 'boot to login, s', cell: ({ bootSeconds }) => number(bootSeconds, 1) },
        { head: 'gives nothing, s', cell: ({ gap }) => number(gap?.seconds, 1) },
        { head: 'till a peer is let in, s', cell: ({ gap }) => number(gap?.letInSeconds, 1) },
        { head: '', cell: () => '' },
      ],
      rows,
    ),
  );
}

await main();
