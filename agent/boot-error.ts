/**
 * Why a phase failed: a code for programs, a sentence for the person before the screen, what to do about it, and
 * whether trying again can help.
 */

/**
 * `yes`: until the phase's deadline. `brief`: a few times, for what a publish in progress can explain (a manifest
 * read beside the signature of its successor). `no`: the same input gives the same answer.
 */
export type Retriable = 'yes' | 'brief' | 'no';

export class BootError extends Error {
  /** Lower case with dashes, as in `swarmboot: error CODE: SENTENCE`. */
  readonly code: string;
  readonly hint: string | undefined;
  readonly retriable: Retriable;

  constructor(
    code: string,
    message: string,
    options: { hint?: string; retriable?: Retriable; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'BootError';
    this.code = code;
    this.hint = options.hint;
    this.retriable = options.retriable ?? 'yes';
  }
}

/** Anything thrown, as a BootError; what nobody foresaw is `internal` and not tried again. */
export function toBootError(error: unknown): BootError {
  if (error instanceof BootError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new BootError('internal', message || 'Unknown failure', { retriable: 'no', cause: error });
}
