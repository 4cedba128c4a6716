import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SwarmStats } from '../../../agent/download.ts';
import { type LingerOptions, lingerPhase } from '../../../agent/phases/linger.ts';
import { goodManifest } from '../../contract/fixtures.ts';
import { fakes, phaseContext } from '../fakes.ts';

/** A complete swarm that uploads 100 bytes at each look. */
function options(linger: LingerOptions['linger']): LingerOptions {
  let looks = 0;
  const stats = (): SwarmStats => ({
    pieces: 10,
    pieceCount: 10,
    bytes: 1000,
    totalBytes: 1000,
    downloaded: { peers: 1000, seeder: 0, webseed: 0 },
    uploaded: looks++ * 100 + 100,
    hashFailures: 0,
    peers: 1,
    seeds: 0,
    downBytesPerSecond: 0,
    upBytesPerSecond: 100,
    bannedPeers: 0,
  });
  const download = { swarm: { stats }, store: undefined, close: async () => {} };
  const release = { manifest: goodManifest, metainfo: undefined };
  return { linger, download, release } as unknown as LingerOptions;
}

test('auto: asks each second, ends at the second 0 in a row', async (context) => {
  const around = fakes(context);
  around.telemetry.answers = [3, 0, 1, 0, 0].map((neededBy) => ({ neededBy }));
  const { detail } = await lingerPhase(phaseContext(around), options({ kind: 'auto' }));
  assert.match(detail, /^no machine needs this one, /);
  assert.equal(around.machine.now(), 5000);
  const asked = around.telemetry.sent[0];
  assert.equal(asked?.event === 'progress' && asked.release, 'debian-lab-20260131.1');
});

test('auto: a server that falls silent is waited for 5 s, not longer', async (context) => {
  const around = fakes(context);
  around.telemetry.answers = [{ neededBy: 3 }, { neededBy: 3 }];
  const { detail } = await lingerPhase(phaseContext(around), options({ kind: 'auto' }));
  assert.match(detail, /^the server is silent, /);
  assert.equal(around.machine.now(), 6000);
});

test('ratio: ends when enough was given', async (context) => {
  const around = fakes(context);
  const { detail } = await lingerPhase(phaseContext(around), options({ kind: 'ratio', ratio: 0.8 }));
  assert.match(detail, /^ratio 0\.8 is reached/);
  assert.equal(around.machine.now(), 7000);
});
