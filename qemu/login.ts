/** Logs in to a real system on its serial console and looks at what it runs on. */
import type { Found } from './console.ts';
import type { Machine } from './machine.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface SystemFacts {
  /** `uname -r`. */
  readonly kernelRelease: string;
  /** Type of the file system on `/`. */
  readonly rootType: string;
  /** What the mounted squashfs is on, like `/dev/pmem0` or `/dev/loop0`; undefined if none is mounted. */
  readonly squashfsSource: string | undefined;
  /** Kernel command line. */
  readonly cmdline: string;
}

/** A getty's prompt: the host name in front, nothing like "Last login: Mon Jan 5". */
export const LOGIN_PROMPT = /^(?!Last )(\S+) login: /m;

/** Waits for the prompt that comes behind offset `from`: earlier output cannot pass for it. */
export const waitForLogin = (machine: Machine, from: number, timeoutMs: number): Promise<Found> =>
  machine.expect(LOGIN_PROMPT, { from, timeoutMs });

/** Types name and password at the prompt that ends at `prompt.end`. Throws if the login is refused. */
export async function logIn(
  machine: Machine,
  prompt: Found,
  credentials: Credentials,
  timeoutMs: number,
): Promise<number> {
  machine.send(`${credentials.user}\r`);
  const asked = await machine.expect(/^Password: /m, { from: prompt.end, timeoutMs });
  machine.send(`${credentials.password}\r`);
  const answer = await machine.expect(/Login incorrect|^(?:\S+@\S+:\S*)?[$#] /m, {
    from: asked.end,
    timeoutMs,
  });
  if (answer.match[0] === 'Login incorrect')
    throw new Error(`${machine.name} refused the login of "${credentials.user}"`);
  return answer.end;
}

/** A command that prints facts as `swb-NAME=VALUE`; its own echo on the terminal has no such line. */
const INSPECT = `t=swb; uname -r | sed "s/^/$t-kernel=/"; sed "s/^/$t-mount=/" /proc/mounts; sed "s/^/$t-cmdline=/" /proc/cmdline; echo "$t-end="`;

/** Facts out of the text that the command printed. */
export function parseFacts(text: string): SystemFacts {
  const value = (name: string) => new RegExp(`^swb-${name}=(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const mounts = [...text.matchAll(/^swb-mount=(\S+) (\S+) (\S+) /gm)].map(([, source, target, type]) => ({
    source: source!,
    target: target!,
    type: type!,
  }));
  return {
    kernelRelease: value('kernel'),
    // The last mount on / is the one that is seen.
    rootType: mounts.findLast(({ target }) => target === '/')?.type ?? '',
    squashfsSource: mounts.find(({ type }) => type === 'squashfs')?.source,
    cmdline: value('cmdline'),
  };
}

/** Asks the shell that was reached by `logIn` (whose result is `from`). */
export async function inspectSystem(machine: Machine, from: number, timeoutMs: number): Promise<SystemFacts> {
  machine.send(`${INSPECT}\r`);
  const found = await machine.expect(/^swb-kernel=[\s\S]*^swb-end=$/m, { from, timeoutMs });
  return parseFacts(found.match[0]);
}

/** What is wrong with a system that should run from the handed-over image; undefined if nothing is. */
export function complaintAbout(
  facts: SystemFacts,
  expected: { readonly handoff: string; readonly kernelRelease?: string },
): string | undefined {
  const device = expected.handoff === 'pmem' ? /^\/dev\/pmem\d+$/ : /^\/dev\/loop\d+$/;
  // dm-verity lies on whichever it is.
  const source = / swarmboot\.verity=/.test(facts.cmdline) ? /^\/dev\/dm-\d+$/ : device;
  if (facts.rootType !== 'overlay') return `its root is ${facts.rootType || 'unknown'}, not an overlay`;
  if (facts.squashfsSource === undefined) return 'no squashfs is mounted';
  if (!source.test(facts.squashfsSource))
    return `its squashfs is on ${facts.squashfsSource}, which handoff "${expected.handoff}" does not make`;
  if (facts.kernelRelease === '') return '"uname -r" said nothing';
  if (expected.kernelRelease !== undefined && facts.kernelRelease !== expected.kernelRelease)
    return `it runs kernel ${facts.kernelRelease}, not ${expected.kernelRelease} of the image`;
  return undefined;
}
