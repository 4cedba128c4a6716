import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals } from '../../../torrent/swarm/arrivals.ts';
import { shapeOf } from '../../../torrent/swarm/shape.ts';
import { emptyStore, makeContent, PIECE_LENGTH } from '../swarm-fixtures.ts';

const FROM = { sources: ['10.0.0.1:1'], fromWebseed: false };

/** Records what happens, in order; `verdict` and `broken` may be changed. */
async function scene() {
  const content = await makeContent(PIECE_LENGTH);
  const store = emptyStore(content);
  const log: string[] = [];
  const state = { verdict: 'ok' as 'ok' | 'bad', broken: false };
  const write = store.write.bind(store);
  store.write = async (offset, bytes) => {
    log.push(`write ${offset}`);
    if (state.broken) throw new Error('no space');
    await write(offset, bytes);
  };
  const arrivals = new Arrivals({
    ...{ store, shape: shapeOf(content.metainfo) },
    hashes: {
      check: async (piece) => {
        log.push(`check ${piece}`);
        return state.verdict;
      },
    },
    refuted: (piece, _, sources) => log.push(`refuted ${piece} ${sources}`),
    stored: (piece, _, { fromWebseed }) => log.push(`stored ${piece} ${fromWebseed}`),
    failed: (piece, { message }, hopeless) => log.push(`failed ${piece} ${message} ${hopeless}`),
  });
  const take = (piece: number) => arrivals.take(piece, content.bytes.subarray(0, 1000), FROM);
  return { arrivals, take, log, state, store };
}

test('hashed, written once, then believed', async () => {
  const { take, log, store } = await scene();
  assert.equal(await take(1), 'ok');
  assert.deepEqual(log, ['check 1', `write ${PIECE_LENGTH}`, 'stored 1 false']);
  assert.deepEqual(store.writes, [[PIECE_LENGTH, 1000]]);
});

test('what is wrong is not written', async () => {
  const { take, log, state } = await scene();
  state.verdict = 'bad';
  assert.equal(await take(0), 'bad');
  assert.deepEqual(log, ['check 0', 'refuted 0 10.0.0.1:1']);
});

test('three failures in a row are hopeless; a success in between is not', async () => {
  const { take, log, state } = await scene();
  const failures: string[] = [];
  for (const broken of [true, true, false, true, true, true]) {
    state.broken = broken;
    log.length = 0;
    await take(0);
    failures.push(log.at(-1)!);
  }
  const failed = (hopeless: boolean): string => `failed 0 no space ${hopeless}`;
  assert.deepEqual(failures, [
    ...[failed(false), failed(false), 'stored 0 false'],
    ...[failed(false), failed(false), failed(true)],
  ]);
});

test('after the end nothing is reported, and the end waits for the write', async () => {
  const { arrivals, take, log } = await scene();
  const taken = take(0);
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(log, ['check 0', 'write 0']);
  await arrivals.close();
  assert.equal(await taken, 'ok');
  assert.deepEqual(log, ['check 0', 'write 0']);
});
