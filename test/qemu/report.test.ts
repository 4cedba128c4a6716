import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MachineOutcome, makeReport, renderReport } from '../../qemu/report.ts';
import { parseStatus } from '../../qemu/status.ts';

const outcome = (mac: string, change: Partial<MachineOutcome> = {}): MachineOutcome => ({
  name: `machine${mac.at(-1)}`,
  mac,
  timeline: { phases: { firmware: 3.00049, swarm: 10 }, handoff: 'pmem', unfinished: undefined },
  loginSeconds: 40,
  ok: true,
  kernelRelease: '6.12.1',
  failure: undefined,
  ...change,
});

const MIB = 1024 ** 2;
const status = parseStatus(
  JSON.stringify({
    machines: [
      {
        mac: '52:54:00:77:00:01',
        handoff: 'pmem',
        downloaded: { peers: 60 * MIB, seeder: 40 * MIB, webseed: 0 },
        uploaded: 50 * MIB,
        hashFailures: 0,
        peakRssBytes: 90 * MIB,
        memoryPeakBytes: 700 * MIB,
        seeding: undefined,
      },
    ],
    server: {
      stage1Bytes: 88 * MIB,
      payloadBytes: 110 * MIB,
      images: [{ name: 'demo', imageBytes: 100 * MIB }],
    },
  }),
);
const RUN = { image: 'demo', accelerator: 'tcg', firmware: 'bios' };

describe('makeReport', () => {
  it('has the fields of the contract, and what the server was told', () => {
    const report = makeReport([outcome('52:54:00:77:00:01')], status, RUN);
    assert.deepEqual(report, {
      clients: [
        {
          mac: '52:54:00:77:00:01',
          name: 'machine1',
          phases: { firmware: 3, swarm: 10 },
          handoff: 'pmem',
          loginSeconds: 40,
          ok: true,
          kernelRelease: '6.12.1',
          downloaded: { peers: 60 * MIB, seeder: 40 * MIB, webseed: 0 },
          uploaded: 50 * MIB,
          hashFailures: 0,
          peakRssBytes: 90 * MIB,
          memoryPeakBytes: 700 * MIB,
          failure: null,
        },
      ],
      server: { stage1Bytes: 88 * MIB, payloadBytes: 110 * MIB, imageBytes: 100 * MIB },
      peerBytes: 60 * MIB,
      accelerator: 'tcg',
      firmware: 'bios',
    });
  });

  it('reports a machine that the server never heard of', () => {
    const change = { ok: false, loginSeconds: undefined, failure: 'no console', kernelRelease: undefined };
    const [client] = makeReport([outcome('52:54:00:77:00:02', change)], status, RUN).clients;
    assert.equal(client?.loginSeconds, null);
    assert.deepEqual(client?.downloaded, { peers: 0, seeder: 0, webseed: 0 });
    assert.equal(client?.failure, 'no console');
  });
});

describe('renderReport', () => {
  it('shows times, bytes and the verdict', () => {
    const text = renderReport(makeReport([outcome('52:54:00:77:00:01')], status, RUN));
    assert.match(text, /^swarm +10\.0$/m);
    assert.match(text, /^from other machines +60\.0 MiB$/m);
    assert.match(text, /sent 88\.0 MiB as stage-1 and 110\.0 MiB \(1\.10 images\) as payload/);
    assert.match(text, /1 of 1 machines reached the login.*40\.0 s.*TCG, bios/);
  });

  it('does not claim success when a machine failed', () => {
    const failed = outcome('52:54:00:77:00:02', { ok: false, failure: 'gave up', loginSeconds: undefined });
    const text = renderReport(makeReport([outcome('52:54:00:77:00:01'), failed], status, RUN));
    assert.doesNotMatch(text, /reached the login/);
    assert.match(text, /machine2 failed: gave up/);
    assert.match(text, /^power-on to login +40\.0 +never$/m);
  });
});

describe('parseStatus', () => {
  it('reads what is missing or odd as nothing', () => {
    assert.deepEqual(parseStatus('{"machines":[{"mac":5,"downloaded":null}],"server":[]}'), {
      machines: [
        {
          mac: '',
          handoff: undefined,
          downloaded: { peers: 0, seeder: 0, webseed: 0 },
          uploaded: 0,
          hashFailures: 0,
          peakRssBytes: undefined,
          memoryPeakBytes: undefined,
          seeding: undefined,
        },
      ],
      server: { stage1Bytes: 0, payloadBytes: 0 },
      images: [],
    });
    assert.throws(() => parseStatus('<html>'));
  });
});
