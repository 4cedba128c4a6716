/** The options of `swarmboot-agent seed`, parsed. */
import { parseArgs } from 'node:util';
import { HANDOVER_RUN_FOLDER } from '../../contract/handover.ts';
import { strictly } from '../fetch-options.ts';

export interface SeedOptions {
  /** Folder that stage-1 left: see contract/handover.ts. */
  readonly state: string;
  /** Settings; need not exist. */
  readonly config: string;
  /** Folder for `status`; undefined writes none. */
  readonly runtime: string | undefined;
  readonly json: boolean;
}

/** Throws `UsageError`. */
export function parseSeedOptions(args: string[]): SeedOptions {
  const { values } = strictly(() =>
    parseArgs({
      args,
      options: {
        state: { type: 'string', default: HANDOVER_RUN_FOLDER },
        config: { type: 'string', default: '/etc/swarmboot/seed.conf' },
        runtime: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }),
  );
  return { state: values.state, config: values.config, runtime: values.runtime, json: values.json };
}
