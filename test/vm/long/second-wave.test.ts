/** A staggered morning: four machines run, the server gives nothing any more, two more boot from the four. */
import { before, describe, it } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { withLab } from '../../../qemu/lab.ts';
import { CONFIG, IMAGE, prepare, STATE } from '../prepare.ts';
import { bootInWaves } from '../second-wave.ts';

/** Six emulated machines on a few processors; each real system goes on taking its part. 725 s have been seen. */
const LOGIN_TIMEOUT_MS = 20 * 60_000;
/** Half an hour was just enough on two processors with other work. */
const TEST_TIMEOUT_MS = 60 * 60_000;

describe('four machines boot, the server falls silent, two more boot', () => {
  let host: AcceleratorDecision;
  before(async () => {
    host = await prepare();
  });

  it('every byte of the image comes from machines that run the real system', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    const options = {
      ...{ machines: 6, accelerator: host.accelerator, state: STATE, config: CONFIG, image: IMAGE },
      memoryMiB: 1152,
    };
    await withLab(options, (lab) =>
      bootInWaves(lab, { first: 4, atOnce: 2, second: 2, loginTimeoutMs: LOGIN_TIMEOUT_MS }),
    );
  });
});
