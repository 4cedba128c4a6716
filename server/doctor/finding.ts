/** What a check has found: a sentence, and what to do about it. */
export interface Finding {
  readonly check: string;
  /** `problem`: machines cannot boot; `warning`: they can, but not for long, or it could not be looked at. */
  readonly level: 'ok' | 'warning' | 'problem';
  readonly sentence: string;
  /** undefined where nothing is to be done. */
  readonly fix: string | undefined;
}

export const ok = (check: string, sentence: string): Finding => ({
  check,
  level: 'ok',
  sentence,
  fix: undefined,
});
export const warning = (check: string, sentence: string, fix: string): Finding => ({
  ...{ check, level: 'warning', sentence, fix },
});
export const problem = (check: string, sentence: string, fix: string): Finding => ({
  ...{ check, level: 'problem', sentence, fix },
});
