/**
 * A peer of a few lines that asks one machine for a block every 200 ms and says when it was let in and when it got a
 * block: `MET MILLISECONDS` and `GOT MILLISECONDS`, of the wall clock of this computer. It measures how long a machine gives nothing, from outside.
 * Usage: node block-asker.ts HOST PORT INFOHASH FIRST-PIECE PIECES
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const [host = '', port = '', infohash = '', first = '0', pieces = '1'] = process.argv.slice(2);
const PAUSE_MS = 200;
/** A machine in the middle of a kexec closes nothing, and answers no SYN: one sent later may be answered at once. */
const SILENCE_MS = 1500;
/** Who has just started, on a machine that still boots, may need this for its first block. To leave would cost it more. */
const FIRST_BLOCK_MS = 15_000;
const BLOCK_BYTES = 16_384;
const HANDSHAKE_BYTES = 68;
let asked = 0;

function message(id: number, ...words: number[]): Buffer {
  const bytes = Buffer.alloc(5 + 4 * words.length);
  bytes.writeUInt32BE(bytes.length - 4, 0);
  bytes[4] = id;
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word, 5 + 4 * index);
  return bytes;
}

function meet(): void {
  const socket = connect({ host, port: Number(port) });
  let bytes = Buffer.alloc(0);
  let greeted = false;
  const ask = (): void => {
    const piece = Number(first) + (asked % Number(pieces));
    asked++;
    socket.write(message(6, piece, 0, BLOCK_BYTES));
  };
  const next = (): boolean => {
    if (!greeted) {
      if (bytes.length < HANDSHAKE_BYTES) return false;
      bytes = bytes.subarray(HANDSHAKE_BYTES);
      greeted = true;
      socket.write(message(2));
      return true;
    }
    if (bytes.length < 4) return false;
    const length = bytes.readUInt32BE(0);
    if (bytes.length < 4 + length) return false;
    const id = length > 0 ? bytes[4] : undefined;
    bytes = bytes.subarray(4 + length);
    if (id === 1) ask();
    if (id === 7) {
      console.log(`GOT ${Date.now()}`);
      socket.setTimeout(SILENCE_MS);
      setTimeout(ask, PAUSE_MS);
    }
    return true;
  };
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  socket.on('connect', () => {
    console.log(`MET ${Date.now()}`);
    socket.setTimeout(FIRST_BLOCK_MS);
    socket.write(
      Buffer.concat([
        Buffer.from('\x13BitTorrent protocol\0\0\0\0\0\0\0\0', 'latin1'),
        Buffer.from(infohash, 'hex'),
        Buffer.from('-XX0001-'),
        randomBytes(12),
      ]),
    );
  });
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (next());
  });
  socket.on('error', () => {});
  socket.on('close', () => setTimeout(meet, PAUSE_MS));
}

meet();
