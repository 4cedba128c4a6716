import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTelemetry, TELEMETRY_LIMIT_EVENTS } from '../../contract/telemetry.ts';

const base = { mac: '52:54:00:aa:bb:cc', boot: '0123456789abcdef', uptime: 12.5 };

test('events of a batch are parsed, wrong ones are counted', () => {
  const start = { ...base, event: 'phase-start', phase: 'network' };
  const end = {
    ...base,
    event: 'phase-end',
    phase: 'network',
    ok: true,
    seconds: 1.25,
    detail: 'eth0 10.77.0.51/24',
  };
  const body = [start, end, { ...start, phase: 'lunch' }, { ...start, mac: 'x' }]
    .map((event) => JSON.stringify(event))
    .join('\n');
  const { events, rejected } = parseTelemetry(`${body}\nnot json\n`);
  assert.deepEqual(events, [start, end]);
  assert.equal(rejected, 3);
});

test('a batch is bounded', () => {
  const line = `${JSON.stringify({ ...base, event: 'phase-start', phase: 'swarm' })}\n`;
  const { events, rejected } = parseTelemetry(line.repeat(5000));
  assert.equal(events.length + rejected, TELEMETRY_LIMIT_EVENTS);
});

test('property: no body throws', () => {
  fc.assert(fc.property(fc.string(), (body) => parseTelemetry(body).events.length === 0));
});
