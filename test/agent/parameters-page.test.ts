import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PARAMETERS, parameterName } from '../../contract/parameters.ts';
import { renderParameters } from '../../scripts/generate-parameters.ts';

test('docs/parameters.md is what the table says, and names every parameter', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/parameters.md'), 'utf8');
  assert.equal(page, renderParameters());
  for (const key of Object.keys(PARAMETERS)) assert.ok(page.includes(`\`${parameterName(key)}=\``), key);
});
