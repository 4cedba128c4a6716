/** How this program names itself to peers and trackers (BEP 20): client and version, then twelve random bytes. */
import { randomBytes } from 'node:crypto';

const CLIENT_AND_VERSION = Buffer.from('-SB0100-');
const PEER_ID_BYTES = 20;

/** A new one of 20 bytes. */
export const makePeerId = (): Buffer =>
  Buffer.concat([CLIENT_AND_VERSION, randomBytes(PEER_ID_BYTES - CLIENT_AND_VERSION.length)]);
