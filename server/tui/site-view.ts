/** What the console shows, as plain data: the database and the server's /status at one moment. */
import type { Target } from '../assignments/assignment.ts';
import type { MachineStatus } from '../machines/status.ts';

export interface MachineView {
  readonly mac: string;
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly arch: string | undefined;
  readonly memoryBytes: number | undefined;
  readonly lastSeenMs: number | undefined;
  /** What it boots next; undefined where it would have to wait. */
  readonly image: string | undefined;
  /** Why: who decided, or what it waits for. */
  readonly reason: string;
  readonly once: boolean;
  /** undefined if the server has not heard of it since it was started. */
  readonly live: MachineStatus | undefined;
  /** Its last boots, newest first, one line each. */
  readonly boots: readonly {
    readonly startedMs: number;
    readonly release: string | undefined;
    readonly outcome: 'handoff' | 'error' | undefined;
    readonly detail: string | undefined;
  }[];
}

export interface SiteView {
  readonly machines: readonly MachineView[];
  readonly groups: readonly { readonly name: string; readonly image: string | undefined }[];
  readonly images: readonly { readonly name: string; readonly version: string; readonly arch: string }[];
  readonly server: {
    readonly url: string | undefined;
    /** A sentence if nothing can be heard from it. */
    readonly problem: string | undefined;
  };
  readonly nowMs: number;
}

export type Action =
  | { readonly kind: 'assign'; readonly target: Target; readonly image: string | undefined }
  | { readonly kind: 'next'; readonly macs: readonly string[]; readonly image: string | undefined };

/** Where the console has its data from, and where its decisions go. */
export interface DataSource {
  read(nowMs: number): Promise<SiteView>;
  /** Does it and returns a sentence about it. Throws an Error with one. */
  perform(action: Action, nowMs: number): Promise<string>;
  close(): void;
}
