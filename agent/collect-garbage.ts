/**
 * Has V8 give back what nobody refers to any more, now. Buffers lie outside of its heap, so that a megabyte of them weighs
 * little on its own clock. Node has no call for it but the flag `--expose-gc`, which is taken as late as this (node:v8).
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}
