import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as format from '../../agent/console.ts';
import { PHASES } from '../../contract/telemetry.ts';

const MIB = 1024 ** 2;

test('golden lines of the grammar', () => {
  assert.deepEqual(
    [
      format.phaseStart('network'),
      format.phaseEnd('network', true, 1.2341, 'eth0 52:54:00:12:34:56 10.77.0.50/24'),
      format.phaseEnd('manifest', false, 12, 'Manifest refused: it was altered'),
      format.progress({ bytes: 123.4 * MIB, totalBytes: 273 * MIB, bytesPerSecond: 12.3 * MIB, peers: 3 }),
      format.progress({ bytes: 0, totalBytes: 273 * MIB, bytesPerSecond: 0, peers: 1 }),
      format.progress({ bytes: 273 * MIB, totalBytes: 273 * MIB, bytesPerSecond: 0, peers: 0 }),
      format.note('no carrier yet'),
      format.error('no-lease', 'No DHCP lease on eth0 within 60 s'),
      format.rebooting(60),
    ],
    [
      'swarmboot: phase network: start',
      'swarmboot: phase network: end ok 1.234s eth0 52:54:00:12:34:56 10.77.0.50/24',
      'swarmboot: phase manifest: end failed 12.000s Manifest refused: it was altered',
      'swarmboot: progress 45.2% 123.4 MiB of 273.0 MiB, 12.3 MiB/s, 3 peers, ETA 13s',
      'swarmboot: progress 0.0% 0.0 MiB of 273.0 MiB, 0.0 MiB/s, 1 peer, ETA unknown',
      'swarmboot: progress 100.0% 273.0 MiB of 273.0 MiB, 0.0 MiB/s, 0 peers, ETA 0s',
      'swarmboot: note no carrier yet',
      'swarmboot: error no-lease: No DHCP lease on eth0 within 60 s',
      'swarmboot: rebooting in 60s',
    ],
  );
});

test('100.0% is said only when nothing is missing', () => {
  const line = format.progress({ bytes: 999_999, totalBytes: 1_000_000, bytesPerSecond: 1, peers: 1 });
  assert.match(line, /progress 99\.9%/);
});

test('whatever a text holds, it stays one printable line of bounded length', () => {
  const nasty = fc.string({ unit: 'binary', maxLength: 2000 });
  fc.assert(
    fc.property(fc.constantFrom(...PHASES), nasty, (phase, text) => {
      const line = format.phaseEnd(phase, false, 1, text);
      assert.ok(line.startsWith(`swarmboot: phase ${phase}: end failed 1.000s`));
      assert.ok(line.length <= 520);
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    }),
  );
});
