/**
 * From the lines of a console to seconds per phase. Pure.
 *
 * Milestones in order: power-on, iPXE's first line, the stage-1 kernel's first line, the agent's phases (their own
 * figures), the end of the handoff phase, the login prompt. A milestone that was not seen leaves its time to the
 * phase before it: the sum stays the time since power-on, but for pauses between the agent's phases.
 */
import type { ConsoleLine } from './console.ts';
import { parseAgentLine } from './console-lines.ts';

export interface Timeline {
  /** Seconds by name, in the order of the boot: firmware, ipxe or grub, kernel, the agent's phases, system. */
  readonly phases: Readonly<Record<string, number>>;
  /** Strategy that the last handoff used, as it names it. */
  readonly handoff: string | undefined;
  /** The last phase that began and did not end well, if any. */
  readonly unfinished: string | undefined;
}

const IPXE = /iPXE initiali[sz]ing devices/;
/** What GRUB, loaded by shim, says first of ours; it greets nobody when it takes its terminal from the firmware. */
const GRUB = /^swarmboot: asking \S+ what \S+ boots/;
const KERNEL = /Linux version \d/;

/** `loginSeconds`: when the real system's prompt was seen, if it was. */
export function timelineOf(
  lines: readonly Pick<ConsoleLine, 'text' | 'seconds'>[],
  loginSeconds?: number,
): Timeline {
  const phases: Record<string, number> = {};
  let before = { name: 'firmware', since: 0 };
  let handoff: string | undefined;
  let unfinished: string | undefined;
  let handedOverAt: number | undefined;
  const milestone = (name: string, seconds: number) => {
    phases[before.name] = seconds - before.since;
    before = { name, since: seconds };
  };
  for (const { text, seconds } of lines) {
    if (before.name === 'firmware' && IPXE.test(text)) milestone('ipxe', seconds);
    if (before.name === 'firmware' && GRUB.test(text)) milestone('grub', seconds);
    if (['firmware', 'ipxe', 'grub'].includes(before.name) && KERNEL.test(text)) milestone('kernel', seconds);
    const said = parseAgentLine(text);
    if (said?.kind === 'phase-start') {
      if (before.name !== 'agent') milestone('agent', seconds);
      unfinished = said.phase;
    }
    if (said?.kind === 'phase-end') {
      // A phase that was tried again counts with all its tries.
      phases[said.phase] = (phases[said.phase] ?? 0) + said.seconds;
      if (said.ok) unfinished = undefined;
      if (said.phase === 'handoff' && said.ok) {
        handoff = /\b(pmem|cpio|retain|switch)\b/.exec(said.detail)?.[1];
        handedOverAt = seconds;
      }
    }
  }
  if (loginSeconds !== undefined && handedOverAt !== undefined) phases.system = loginSeconds - handedOverAt;
  return { phases, handoff, unfinished };
}
