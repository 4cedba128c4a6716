import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type AgentLine, parseAgentLine } from '../../qemu/console-lines.ts';

const CASES: readonly [string, AgentLine | undefined][] = [
  ['swarmboot: phase network: start', { kind: 'phase-start', phase: 'network' }],
  [
    'swarmboot: phase swarm: end ok 12.345s 273.0 MiB, 2 peers',
    { kind: 'phase-end', phase: 'swarm', ok: true, seconds: 12.345, detail: '273.0 MiB, 2 peers' },
  ],
  [
    'swarmboot: phase manifest: end failed 0.5s',
    { kind: 'phase-end', phase: 'manifest', ok: false, seconds: 0.5, detail: '' },
  ],
  [
    'swarmboot: progress 45.2% 123.4 MiB of 273.0 MiB, 12.3 MiB/s, 3 peers, ETA 12s',
    { kind: 'progress', percent: 45.2, text: '123.4 MiB of 273.0 MiB, 12.3 MiB/s, 3 peers, ETA 12s' },
  ],
  ['swarmboot: note Link is up', { kind: 'note', text: 'Link is up' }],
  [
    'swarmboot: error untrusted: Signed by another key',
    { kind: 'error', code: 'untrusted', text: 'Signed by another key' },
  ],
  ['swarmboot: rebooting in 60s', { kind: 'reboot', seconds: 60 }],
  ['[    1.0] stray kernel text swarmboot: phase network: start', { kind: 'phase-start', phase: 'network' }],
  ['swarmboot: root is pmem:/dev/pmem0, changes stay in RAM', undefined],
  ['Linux version 6.12', undefined],
];

for (const [line, expected] of CASES)
  it(`reads "${line}"`, () => assert.deepEqual(parseAgentLine(line), expected));
