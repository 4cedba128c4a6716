/** What a fuzz target is: one border where strangers' bytes come in. */
import type { Random } from './random.ts';

export interface Target {
  /** Parts of paths of the sources that are fuzzed: what runs there steers the search. */
  readonly sources: readonly string[];
  /** Good inputs to begin with; the kept corpus is added. */
  readonly seeds: readonly Buffer[];
  /** Words of the format. */
  readonly dictionary?: readonly (string | Buffer)[];
  readonly maxBytes?: number;
  /** Inputs between two looks at the coverage; fewer for a slow target. */
  readonly batch?: number;
  /**
   * Feeds one input to fresh state. Returns a word for what came of it (a new word makes an input interesting, as new
   * coverage does). Catches the refusals that the parser declares; whatever else is thrown is a finding, a broken property
   * (`assert`) as much as a TypeError. Nothing may go on after it returned.
   */
  run(input: Buffer): string | Promise<string>;
  /** A mutation that knows the format; used half of the time. */
  mutate?(input: Buffer, random: Random, corpus: readonly Buffer[]): Buffer;
  /** After the last input. */
  close?(): void | Promise<void>;
}

/** A target module exports this. */
export interface TargetModule {
  readonly makeTarget: () => Target | Promise<Target>;
}
