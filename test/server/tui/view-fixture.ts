/** A small site, as the console sees it. */
import type { MachineStatus } from '../../../server/machines/status.ts';
import type { MachineView, SiteView } from '../../../server/tui/site-view.ts';

export const NOW_MS = Date.parse('2026-01-31T12:00:00Z');

export const live = (fields: Partial<MachineStatus> = {}): MachineStatus => ({
  ...{
    mac: '52:54:00:aa:00:06',
    boot: '00112233445566aa',
    ip: '10.0.0.9',
    phase: 'swarm',
    phases: { network: 3.5 },
  },
  ...{ firstSeen: new Date(NOW_MS - 20_000).toISOString(), lastSeen: new Date(NOW_MS - 1000).toISOString() },
  progress: { release: 'lab/1', bytes: 53e6, total: 100e6, bytesPerSecond: 12e6, peers: 3 },
  ...{ handoff: null, downloaded: { peers: 40e6, seeder: 13e6, webseed: 0 }, uploaded: 9e6, seeding: null },
  ...{
    hashFailures: 0,
    peakRssBytes: null,
    memoryPeakBytes: null,
    memoryBytes: 8e9,
    firmware: 'uefi',
    errors: [],
  },
  ...fields,
});

export const machine = (index: number, fields: Partial<MachineView> = {}): MachineView => ({
  ...{ mac: `52:54:00:aa:00:${index.toString(16).padStart(2, '0')}`, name: `pc${index}`, group: 'lab1' },
  ...{ arch: 'amd64', memoryBytes: undefined, lastSeenMs: undefined, image: 'lab', reason: 'group lab1' },
  ...{ once: false, live: undefined, boots: [] },
  ...fields,
});

export const site = (fields: Partial<SiteView> = {}): SiteView => ({
  machines: [machine(1, { live: live() }), machine(2), machine(3, { group: undefined, name: undefined })],
  groups: [
    { name: 'lab1', image: 'lab' },
    { name: 'lab2', image: undefined },
  ],
  images: [
    { name: 'exam', version: '1', arch: 'amd64' },
    { name: 'lab', version: '2', arch: 'amd64' },
  ],
  server: { url: 'http://10.0.0.1:7080', problem: undefined },
  nowMs: NOW_MS,
  ...fields,
});
