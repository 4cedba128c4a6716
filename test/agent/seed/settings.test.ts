import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_SETTINGS, parseSettings } from '../../../agent/seed/settings.ts';

test('settings replace defaults, comments and blank lines nothing', () => {
  const { settings, complaints } = parseSettings(
    '# x\n\nRATE=5 # slow\nSLOTS = "2"\nPORT=7000\n',
    DEFAULT_SETTINGS,
  );
  assert.deepEqual(settings, { ...DEFAULT_SETTINGS, rateMiB: 5, slots: 2, port: 7000 });
  assert.deepEqual(complaints, []);
});

test('a line that makes no sense is quoted, and the default stays', () => {
  const lines = ['RATE=fast', 'SLOTS=0', 'SPEED=3', 'PORT=70000', 'constructor=1', 'rm -rf /'];
  const { settings, complaints } = parseSettings(lines.join('\n'), DEFAULT_SETTINGS);
  assert.deepEqual(settings, DEFAULT_SETTINGS);
  assert.equal(complaints.length, lines.length);
  assert.match(complaints[1]!, /"SLOTS=0" is ignored: SLOTS takes a number from 1 to 64/);
  assert.match(complaints[2]!, /the settings are RATE, SLOTS, CONNECTIONS, PORT, DISCOVERY/);
});

test('the file that is shipped changes nothing and names every setting', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../server/image/seed/seed.conf'), 'utf8');
  assert.deepEqual(parseSettings(text, DEFAULT_SETTINGS), { settings: DEFAULT_SETTINGS, complaints: [] });
  const uncommented = text.replaceAll(/^#(?=[A-Z]+=)/gm, '');
  const { settings, complaints } = parseSettings(uncommented, {
    ...DEFAULT_SETTINGS,
    rateMiB: 1,
    slots: 1,
    connections: 1,
  });
  assert.deepEqual(complaints, []);
  assert.deepEqual(settings, { ...DEFAULT_SETTINGS, port: 6881 });
});
