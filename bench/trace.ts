/**
 * Replays the traces of a swarm's machines into a picture of who gave what to whom.
 *
 * Usage: scripts/bench trace FILE.ndjson... --svg FILE [--title TEXT] [--json FILE]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { flowOf, giftMatrix } from './trace/flow.ts';
import { flowPicture } from './trace/picture.ts';
import { readTrace } from './trace/read.ts';

const USAGE = `Usage: scripts/bench trace FILE.ndjson... --svg FILE [--title TEXT] [--json FILE]
  FILE.ndjson  what "swarmboot-agent fetch --trace" or "scripts/bench swarm --trace" wrote, one for each machine
  --svg        the picture
  --json       the same as numbers: pieces by giver and machine`;

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      svg: { type: 'string' },
      title: { type: 'string', default: 'Who gave what to whom' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (positionals.length === 0 || values.svg === undefined)
    throw new Error('A picture needs the traces of some machines, and --svg');
  const flow = flowOf(
    positionals.map((path) => readTrace(basename(path, '.ndjson'), readFileSync(path, 'utf8'))),
  );
  writeFileSync(values.svg, flowPicture(flow, values.title));
  if (values.json !== undefined) {
    const { givers, takers, pieces, endMs } = flow;
    writeFileSync(
      values.json,
      `${JSON.stringify({ pieces, endMs, givers, takers, gave: giftMatrix(flow) }, null, 2)}\n`,
    );
  }
  console.log(
    `${values.svg}: ${flow.takers.length} machines, ${flow.gifts.length} gifts in ${(flow.endMs / 1000).toFixed(1)} s`,
  );
}

try {
  main();
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 1;
}
