/** Option values that several commands share: each is parsed once, here. */
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_CACHE, DEFAULT_CONFIG, DEFAULT_STATE } from '../catalog/layout.ts';

/** For `commander`: a whole number from `minimum` to `maximum`. */
export const integer =
  (minimum: number, maximum: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${minimum} to ${maximum}.`);
  };

/** `a,b,c` once or several times. */
export const commaList = (text: string, previous: readonly string[] = []): string[] => [
  ...previous,
  ...text.split(',').filter((item) => item !== ''),
];

export const stateOption = (): Option =>
  new Option('--state <DIR>', 'where releases, stage-1 and boot files are').default(DEFAULT_STATE);
export const configOption = (): Option =>
  new Option('--config <DIR>', 'where the release key is').default(DEFAULT_CONFIG);
export const cacheOption = (): Option =>
  new Option('--cache <DIR>', 'where built images are kept for the next time').default(DEFAULT_CACHE);

/** An AbortSignal that SIGINT and SIGTERM set off; `dispose` gives the signals back. */
export function interruption(): { signal: AbortSignal; [Symbol.dispose]: () => void } {
  const controller = new AbortController();
  const stop = () => controller.abort(new Error('Interrupted'));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
