/**
 * The demo's live view: on a terminal one line per machine, redrawn in place; elsewhere (a log, CI) one line for each
 * change, and progress only at every tenth, so that a log stays short.
 */
import { parseAgentLine } from './console-lines.ts';

/** What is known of one machine while it boots. */
export interface LiveState {
  readonly phase: string;
  readonly detail: string;
  readonly percent: number;
}

export const POWERED_ON: LiveState = { phase: 'firmware', detail: 'power on', percent: 0 };

const STEPS: readonly { readonly pattern: RegExp; readonly phase: string; readonly detail: string }[] = [
  { pattern: /iPXE initiali[sz]ing devices/, phase: 'ipxe', detail: 'iPXE has started' },
  { pattern: /Linux version \d/, phase: 'kernel', detail: 'kernel has started' },
];

/** The state after one more console line; the same object if the line tells nothing. Pure. */
export function nextState(state: LiveState, line: string): LiveState {
  const said = parseAgentLine(line);
  switch (said?.kind) {
    case 'phase-start':
      return { ...state, phase: said.phase, detail: '' };
    case 'phase-end': {
      const detail =
        `${said.ok ? 'done' : 'FAILED'} after ${said.seconds.toFixed(1)} s ${said.detail}`.trimEnd();
      return { ...state, phase: said.phase, detail };
    }
    case 'progress':
      return { ...state, percent: said.percent, detail: `${said.percent.toFixed(0)}% ${said.text}` };
    case 'note':
      return { ...state, detail: said.text };
    case 'error':
      return { ...state, detail: `ERROR ${said.code}: ${said.text}` };
    case 'reboot':
      return { ...state, detail: `rebooting in ${said.seconds} s` };
    case undefined: {
      const step = STEPS.find(({ pattern }) => pattern.test(line));
      // The second kernel says "Linux version" as well: that is the real system.
      if (!step) return state;
      if (step.phase === 'kernel' && state.phase === 'handoff')
        return { ...state, phase: 'system', detail: 'the real kernel has started' };
      return { ...state, phase: step.phase, detail: step.detail };
    }
  }
}

/** If a log should say that `before` became `after`. Pure. */
export function worthALine(before: LiveState, after: LiveState): boolean {
  if (before === after) return false;
  if (before.phase !== after.phase) return true;
  const isProgress = after.percent !== before.percent;
  return isProgress
    ? Math.floor(after.percent / 10) > Math.floor(before.percent / 10)
    : before.detail !== after.detail;
}

export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const format = (name: string, seconds: number, { phase, detail }: LiveState) =>
  `${seconds.toFixed(1).padStart(6)} s  ${name.padEnd(10)} ${phase.padEnd(9)} ${detail}`;

export class Display {
  readonly #screen: Screen;
  readonly #machines = new Map<string, { state: LiveState; seconds: number }>();
  #drawn = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** A machine's console said `line`, `seconds` after its power-on. */
  line(name: string, seconds: number, line: string): void {
    this.show(name, seconds, nextState(this.#machines.get(name)?.state ?? POWERED_ON, line));
  }

  show(name: string, seconds: number, state: LiveState): void {
    const before = this.#machines.get(name);
    if (before?.state === state) return;
    this.#machines.set(name, { state, seconds });
    if (this.#screen.isTTY) this.#redraw();
    else if (!before || worthALine(before.state, state))
      this.#screen.write(`${format(name, seconds, state)}\n`);
  }

  #redraw(): void {
    const columns = this.#screen.columns ?? 80;
    const lines = [...this.#machines].map(([name, { state, seconds }]) =>
      format(name, seconds, state).slice(0, columns - 1),
    );
    // Up over what was drawn last, then each line cleared to its end (ECMA-48 CUU, EL).
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    this.#screen.write(`${up}${lines.map((text) => `\r${text}\x1b[K\n`).join('')}`);
    this.#drawn = lines.length;
  }
}
