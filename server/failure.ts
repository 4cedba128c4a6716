/** An expected failure of a server command: `code` for tests and scripts, the message for people, with the fix. */
export type FailureCode =
  | 'bad-option'
  | 'missing-key'
  | 'key-exists'
  | 'missing-stage1'
  | 'missing-program'
  | 'program-failed'
  | 'timeout'
  | 'bad-image'
  | 'no-image'
  | 'port-in-use'
  | 'no-permission'
  | 'bad-database'
  | 'unknown-name'
  | 'name-taken'
  | 'no-interface'
  | 'address-taken'
  | 'disk-full';

export class Failure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Failure';
    this.code = code;
  }
}

/** The `code` of a Node system error (`ENOENT`), its own or that of its cause; undefined if there is none. */
export function systemCode(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current.code;
  }
  return undefined;
}
