import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SeedState, seedingEvent, statusText } from '../../../agent/seed/report.ts';
import { parseTelemetry } from '../../../contract/telemetry.ts';

const state: SeedState = {
  release: 'demo-1',
  port: 6881,
  seconds: 3725.9,
  rateMiB: 20,
  stats: {
    ...{ pieces: 9, pieceCount: 10, bytes: 9 * 1024 * 1024, totalBytes: 10 * 1024 * 1024 },
    ...{ downloaded: { peers: 0, seeder: 0, webseed: 0 }, uploaded: 3 * 1024 * 1024, hashFailures: 0 },
    ...{ peers: 2, seeds: 0, downBytesPerSecond: 0, upBytesPerSecond: 524_288.4, bannedPeers: 0 },
  },
  withdrawn: [4],
};

test('the status says bytes, rate, limit, peers and what is damaged', () => {
  assert.equal(
    statusText(state),
    [
      'seeding  demo-1 on port 6881 for 1:02:05',
      'pieces   9 of 10, 9.0 MiB',
      'given    3.0 MiB, now 0.5 MiB/s',
      'limit    20 MiB/s',
      'peers    2',
      'damaged  1, not given any more: 4',
      '',
    ].join('\n'),
  );
  assert.match(
    statusText({ ...state, rateMiB: 0, withdrawn: [] }),
    /limit {4}none\n(?:.*\n)*damaged {2}none/,
  );
});

test('the event is one that the server takes', () => {
  const event = { ...seedingEvent(state), mac: '52:54:00:00:00:01', boot: '0123456789abcdef', uptime: 1 };
  const { events, rejected } = parseTelemetry(`${JSON.stringify(event)}\n`);
  assert.deepEqual([events, rejected], [[event], 0]);
});
