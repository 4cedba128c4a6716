/**
 * Writes docs/parameters.md from the table in contract/parameters.ts.
 *
 * Usage: node scripts/generate-parameters.ts [--check]
 * With --check nothing is written, and the exit status is 1 if the page is not what the table says.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PARAMETERS, parameterName } from '../contract/parameters.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The whole page as Markdown. */
export function renderParameters(): string {
  const rows = Object.entries(PARAMETERS).map(
    ([key, { type, defaultText, help }]) =>
      `| \`${parameterName(key)}=\` | ${cell(type)} | ${cell(defaultText)} | ${cell(help)} |`,
  );
  return `# Parameters of stage-1

The agent reads these from the kernel command line, which the boot server's iPXE script writes. A parameter that it
does not know, or whose value it cannot use, is named on the console and ignored; the boot goes on.
\`BOOTIF=01-aa-bb-cc-dd-ee-ff\` is pxelinux's and names the interface the firmware booted from.

Values with spaces are quoted as the kernel does it: \`swarmboot.append="quiet splash"\`.

| parameter | takes | default | meaning |
|---|---|---|---|
${rows.join('\n')}

<!-- Written by scripts/generate-parameters.ts from contract/parameters.ts: change it there. -->
`;
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '../docs/parameters.md');
  const page = renderParameters();
  if (process.argv.includes('--check')) {
    let current = '';
    try {
      current = readFileSync(path, 'utf8');
    } catch {
      // A page that is missing is as stale as one that differs.
    }
    if (current !== page) {
      console.error('docs/parameters.md is stale: run node scripts/generate-parameters.ts');
      process.exitCode = 1;
    }
  } else {
    writeFileSync(path, page);
  }
}
