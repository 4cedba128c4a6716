/** Each command of the policy reaches the one thing that it is for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DownloadCommand } from '../../../torrent/policy/download-events.ts';
import { execute, type Hands } from '../../../torrent/swarm/execute.ts';

/** One connected peer, key 1; every call is noted. */
function makeHands() {
  const done: string[] = [];
  const note =
    (name: string) =>
    (...values: readonly unknown[]): void =>
      void done.push([name, ...values].join(' '));
  const names = ['request', 'cancel', 'interested', 'uninterested'];
  const wire = Object.fromEntries(names.map((name) => [name, note(name)]));
  const hands = {
    room: { peers: new Map([[1, { wire, close: note('close') }]]), ban: note('ban') },
    landing: { release: note('release') },
    verify: note('verify'),
  } as unknown as Hands;
  return { hands, done };
}

const block = { piece: 3, begin: 16_384, length: 77 };
const CASES: readonly { readonly command: DownloadCommand; readonly does: readonly string[] }[] = [
  { command: { do: 'request', peer: 1, ...block }, does: ['request 3 16384 77'] },
  { command: { do: 'cancel', peer: 1, ...block }, does: ['cancel 3 16384 77'] },
  { command: { do: 'interest', peer: 1, interested: true }, does: ['interested'] },
  { command: { do: 'interest', peer: 1, interested: false }, does: ['uninterested'] },
  { command: { do: 'verify', piece: 3 }, does: ['verify 3'] },
  { command: { do: 'release', piece: 3 }, does: ['release 3'] },
  { command: { do: 'drop', peer: 1, reason: 'unresponsive', ban: false }, does: ['close unresponsive'] },
  {
    command: { do: 'drop', peer: 1, reason: 'bad-data', ban: true },
    does: ['ban 1 bad-data', 'close bad-data'],
  },
  // It was here when the policy decided.
  { command: { do: 'request', peer: 2, ...block }, does: [] },
  { command: { do: 'drop', peer: 2, reason: 'bad-data', ban: true }, does: ['ban 2 bad-data'] },
];

for (const { command, does } of CASES)
  test(`${JSON.stringify(command)}: ${does.join(', ') || 'nothing'}`, () => {
    const { hands, done } = makeHands();
    execute(command, hands);
    assert.deepEqual(done, does);
  });
