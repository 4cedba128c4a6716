/** What one program of a swarm is given: the server's, or one machine's. */
import type { ClientOptions } from '../peers/client.ts';
import type { Image } from './image.ts';
import type { ProgramName } from './programs.ts';

export interface Part extends ClientOptions {
  readonly program: ProgramName;
  readonly image: Image;
  readonly serverAddress: string;
  /** Machines that will come, and the rate of their links, for a sender that has to know. */
  readonly machines: number;
  readonly rateBitsPerSecond: number;
  /** Where a machine gets its manifest, a URL or a file. */
  readonly manifest?: string;
  /** Where it notes what happens in the swarm. */
  readonly trace?: string;
}

export const SERVER_HTTP_PORT = 7080;
export const TRACKER_PORT = 6969;
