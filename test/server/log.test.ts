import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanLine } from '../../server/log.ts';

test('a record becomes one line, whatever its values hold', () => {
  const record = {
    level: 40,
    time: Date.UTC(2026, 0, 31, 12),
    pid: 1,
    hostname: 'h',
    msg: 'Machine\nreports',
  };
  const line = humanLine(JSON.stringify({ ...record, mac: '52:54:00:aa:00:06', text: '\x1b[31mred\r\n' }));
  assert.equal(line, '12:00:00 warning Machine?reports mac=52:54:00:aa:00:06 text=?[31mred??\n');
});
