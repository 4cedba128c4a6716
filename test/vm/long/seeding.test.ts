/** A machine that has booted gives the image to the next one, from the RAM that it runs from; the server gives none. */
import { before, describe, it } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { withLab } from '../../../qemu/lab.ts';
import { CONFIG, IMAGE, LOGIN_TIMEOUT_MS, prepare, STATE } from '../prepare.ts';
import { bootInWaves } from '../second-wave.ts';

describe('one machine boots, the server falls silent, the next one boots', () => {
  let host: AcceleratorDecision;
  before(async () => {
    host = await prepare();
  });

  it('every byte of the image comes from the machine that runs the real system', async () => {
    const options = {
      machines: 2,
      accelerator: host.accelerator,
      state: STATE,
      config: CONFIG,
      image: IMAGE,
    };
    await withLab(options, (lab) =>
      bootInWaves(lab, { first: 1, atOnce: 1, second: 1, loginTimeoutMs: LOGIN_TIMEOUT_MS }),
    );
  });
});
