/** What every store promises, whatever lies below it. Each implementation's tests call `storeContract`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Store } from '../../torrent/store.ts';

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store;
  /** Ranges that read as zeros whatever is written, in store offsets. */
  readonly pads: readonly { readonly offset: number; readonly length: number }[];
  /** Opens the same bytes to read; `store` is closed by then. */
  reopen(): Promise<Store>;
}

export function storeContract(what: string, make: () => Promise<StoreUnderTest>): void {
  test(`${what}: what was written is read back, at any place, pads excepted`, async () => {
    await using under = await make();
    const { store, pads } = under;
    const model = Buffer.alloc(store.length);
    const range = fc.record({
      at: fc.nat(store.length),
      length: fc.nat(store.length),
      fill: fc.integer({ min: 1, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 6 }), range, async (writes, read) => {
        for (const { at, length, fill } of writes) {
          const bytes = Buffer.alloc(Math.min(length, store.length - at), fill);
          await store.write(at, bytes);
          bytes.copy(model, at);
        }
        for (const { offset, length } of pads) model.fill(0, offset, offset + length);
        const target = Buffer.alloc(Math.min(read.length, store.length - read.at), 0xee);
        await store.read(read.at, target);
        assert.deepEqual(target, model.subarray(read.at, read.at + target.length));
      }),
      { numRuns: 60 },
    );
  });

  test(`${what}: writes side by side do not disturb each other, and stay after closing`, async () => {
    await using under = await make();
    const { store, pads } = under;
    const step = Math.ceil(store.length / 16);
    const model = Buffer.alloc(store.length);
    const jobs: Promise<void>[] = [];
    for (let at = 0; at < store.length; at += step) {
      const bytes = Buffer.alloc(Math.min(step, store.length - at), at / step + 1);
      bytes.copy(model, at);
      jobs.push(store.write(at, bytes));
    }
    await Promise.all(jobs);
    await store.sync();
    await store.close();
    for (const { offset, length } of pads) model.fill(0, offset, offset + length);
    const again = await under.reopen();
    try {
      const target = Buffer.alloc(store.length);
      await again.read(0, target);
      assert.deepEqual(target, model);
      await assert.rejects(again.write(0, Buffer.alloc(1)), { code: 'io' });
    } finally {
      await again.close();
    }
  });

  test(`${what}: nothing outside of its bounds is touched`, async () => {
    await using under = await make();
    const { store } = under;
    const cases = [
      [-1, 1],
      [0, store.length + 1],
      [store.length, 1],
      [store.length - 1, 2],
      [0.5, 1],
      [Number.NaN, 1],
      [2 ** 60, 1],
    ] as const;
    for (const [offset, length] of cases) {
      await assert.rejects(
        store.read(offset, Buffer.alloc(length)),
        { code: 'out-of-bounds' },
        `read ${offset}+${length}`,
      );
      await assert.rejects(
        store.write(offset, Buffer.alloc(length)),
        { code: 'out-of-bounds' },
        `write ${offset}+${length}`,
      );
    }
    await store.read(store.length, Buffer.alloc(0));
    await store.write(0, Buffer.alloc(0));
  });

  test(`${what}: a closed store says so, and closing twice is fine`, async () => {
    await using under = await make();
    await Promise.all([under.store.close(), under.store.close()]);
    await assert.rejects(under.store.read(0, Buffer.alloc(1)), { code: 'closed' });
    await assert.rejects(under.store.write(0, Buffer.alloc(1)), { code: 'closed' });
    await assert.rejects(under.store.sync(), { code: 'closed' });
  });
}
