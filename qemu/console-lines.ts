/**
 * The agent's console grammar, read from the other side: lines that begin with `swarmboot: `. Pure.
 * qemu/ drives images, not code, so this is a second, independent reading of the grammar in docs/boot-sequence.md.
 */
export type AgentLine =
  | { readonly kind: 'phase-start'; readonly phase: string }
  | {
      readonly kind: 'phase-end';
      readonly phase: string;
      readonly ok: boolean;
      readonly seconds: number;
      readonly detail: string;
    }
  | { readonly kind: 'progress'; readonly percent: number; readonly text: string }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'error'; readonly code: string; readonly text: string }
  | { readonly kind: 'reboot'; readonly seconds: number };

/** Parses one console line; undefined if it is not the agent's. */
export function parseAgentLine(line: string): AgentLine | undefined {
  // Kernel messages on the same console may end without a newline before ours begin.
  const at = line.indexOf('swarmboot: ');
  if (at < 0) return undefined;
  const text = line.slice(at + 'swarmboot: '.length).trimEnd();
  const start = /^phase ([a-z]+): start$/.exec(text);
  if (start) return { kind: 'phase-start', phase: start[1]! };
  const end = /^phase ([a-z]+): end (ok|failed) (\d+(?:\.\d+)?)s ?(.*)$/.exec(text);
  if (end) {
    const [, phase, result, seconds, detail] = end as unknown as [string, string, string, string, string];
    return { kind: 'phase-end', phase, ok: result === 'ok', seconds: Number(seconds), detail };
  }
  const progress = /^progress (\d+(?:\.\d+)?)% (.*)$/.exec(text);
  if (progress) return { kind: 'progress', percent: Number(progress[1]), text: progress[2]! };
  const note = /^note (.*)$/.exec(text);
  if (note) return { kind: 'note', text: note[1]! };
  const error = /^error ([a-z0-9-]+): (.*)$/.exec(text);
  if (error) return { kind: 'error', code: error[1]!, text: error[2]! };
  const reboot = /^rebooting in (\d+)s$/.exec(text);
  if (reboot) return { kind: 'reboot', seconds: Number(reboot[1]) };
  return undefined;
}
