/**
 * A machine that joins a swarm to harm it: announces itself to the tracker, accepts whoever dials it, dials whom it hears
 * of, comes back when it is dropped, and on each connection does what its kinds say, one after the other.
 *
 *   node hostile-machine.ts TRACKER-URL INFOHASH PIECES PIECE-LENGTH LISTEN-ADDRESS KIND...
 *
 * Prints one JSON event a second: what it did so far, for a test to see that it was done.
 */
import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { frame, words } from '../../torrent/swarm-fixtures.ts';

const [trackerUrl = '', infohashHex = '', pieceCountText, pieceLengthText, address = '', ...kinds] =
  process.argv.slice(2);
const pieceCount = Number(pieceCountText);
const pieceLength = Number(pieceLengthText);
const infohash = Buffer.from(infohashHex, 'hex');
const BLOCK = 16_384;
const CROWD = 500;
/** A peer that was dropped tries again after so long. */
const RETURN_MS = 500;

const did = { connections: 0, greeted: 0, closed: 0, crowd: 0, crowdClosed: 0, asked: 0, lied: 0, bytes: 0 };
const active = kinds.filter((kind) => kind !== 'crowd');
const isOurs = new Set<string>();

const handshake = (): Buffer =>
  Buffer.concat([
    Buffer.from('\x13BitTorrent protocol', 'latin1'),
    Buffer.from([0, 0, 0, 0, 0, 0x10, 0, 4]),
    infohash,
    Buffer.from('-XX0001-'),
    randomBytes(12), // a new name each time
  ]);
const SEED = Buffer.concat([frame(14), frame(1)]);

interface Kind {
  /** After both handshakes. */
  readonly begin: (socket: Socket) => void;
  /** A request came. */
  readonly asked?: (socket: Socket, piece: number, begin: number, length: number) => void;
}

const piece = (index: number, begin: number, length: number): Buffer =>
  frame(7, Buffer.concat([words(index, begin), randomBytes(length)]));

/** Writes `bytes` again and again, as fast as they are taken. */
function pour(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes)) did.bytes += bytes.length;
  };
  socket.on('drain', more);
  more();
}

const KINDS: Readonly<Record<string, Kind>> = {
  /** Says it has everything and sends random bytes. */
  poison: {
    begin: (socket) => socket.write(SEED),
    asked(socket, index, begin, length) {
      did.lied++;
      socket.write(piece(index, begin, length));
    },
  },
  /** One wrong block among right-looking promises: the first of each piece; the others never come. */
  spoil: {
    begin: (socket) => socket.write(SEED),
    asked(socket, index, begin, length) {
      if (begin !== 0) return;
      did.lied++;
      socket.write(piece(index, begin, length));
    },
  },
  /** Says it has everything, lets everyone ask, and answers nothing. */
  mute: { begin: (socket) => socket.write(SEED) },
  /** Says it has everything and lets nobody ask. */
  miser: { begin: (socket) => socket.write(frame(14)) },
  reject: {
    begin: (socket) => socket.write(SEED),
    asked: (socket, index, begin, length) => socket.write(frame(16, words(index, begin, length))),
  },
  /** A block a minute, byte by byte. */
  trickle: {
    begin: (socket) => socket.write(SEED),
    asked(socket, index, begin, length) {
      const block = piece(index, begin, length);
      let at = 0;
      const timer = setInterval(() => {
        if (socket.destroyed || at >= block.length) clearInterval(timer);
        else socket.write(block.subarray(at, ++at));
      }, 250);
    },
  },
  flood: {
    begin: (socket) => pour(socket, Buffer.concat(Array(2000).fill(Buffer.concat([frame(2), frame(3)])))),
  },
  wrong: { begin: (socket) => socket.write(frame(4, words(pieceCount + 5))) },
  /** Asks for a block of every piece and reads nothing. */
  deaf: {
    begin(socket) {
      socket.write(Buffer.concat([frame(15), frame(2)]));
      setTimeout(() => {
        socket.pause();
        for (let index = 0; index < pieceCount; index++) {
          socket.write(frame(6, words(index, 0, Math.min(BLOCK, pieceLength))));
          did.asked++;
        }
      }, 500);
      const alive = setInterval(() => {
        if (socket.destroyed) clearInterval(alive);
        else socket.write(Buffer.alloc(4));
      }, 1000);
    },
  },
};

function attack(socket: Socket, dialed: boolean): void {
  did.connections++;
  const kind = KINDS[active[did.connections % active.length]!]!;
  let pending = Buffer.alloc(0);
  let greeted = false;
  if (dialed) socket.write(handshake());
  socket.on('error', () => {});
  socket.on('close', () => did.closed++);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    if (!greeted && pending.length >= 68) {
      greeted = true;
      did.greeted++;
      pending = pending.subarray(68);
      if (!dialed) socket.write(handshake());
      kind.begin(socket);
    }
    while (greeted && pending.length >= 4) {
      const length = pending.readUInt32BE(0);
      if (pending.length < 4 + length) return;
      if (pending[4] === 6 && length === 13) {
        did.asked++;
        kind.asked?.(socket, pending.readUInt32BE(5), pending.readUInt32BE(9), pending.readUInt32BE(13));
      }
      pending = pending.subarray(4 + length);
    }
  });
}

/** Hundreds of connections to each peer, which say nothing or half a handshake. */
function crowdAround(host: string, port: number): void {
  for (let count = 0; count < CROWD; count++) {
    const socket = connect({ host, port });
    did.crowd++;
    // Whoever does not read never hears of the end.
    socket.on('error', () => {}).resume();
    socket.on('connect', () => {
      if (count % 2 === 0) socket.write(handshake().subarray(0, 30));
    });
    socket.on('close', () => did.crowdClosed++);
  }
}

const server = createServer((socket) => attack(socket, false));
server.listen(0, address, () => {
  const { port } = server.address() as { port: number };
  isOurs.add(`${address}:${port}`);
  const known = new Set<string>();
  const besiege = (host: string, peerPort: number): void => {
    const socket = connect({ host, port: peerPort });
    attack(socket, true);
    socket.on('close', () => setTimeout(() => besiege(host, peerPort), RETURN_MS));
  };
  const announce = async (): Promise<void> => {
    const escaped = infohashHex.replace(/../g, '%$&');
    const query = `info_hash=${escaped}&peer_id=-XX0001-hostilehosti&port=${port}&left=0&numwant=80&compact=1&uploaded=0&downloaded=0`;
    try {
      const body = Buffer.from(await (await fetch(`${trackerUrl}?${query}`)).arrayBuffer());
      const at = body.indexOf('5:peers') + 7;
      const colon = body.indexOf(':', at);
      const peers = body.subarray(colon + 1, colon + 1 + Number(body.toString('latin1', at, colon)));
      for (let entry = 0; entry + 6 <= peers.length; entry += 6) {
        const host = [...peers.subarray(entry, entry + 4)].join('.');
        const peerPort = peers.readUInt16BE(entry + 4);
        const name = `${host}:${peerPort}`;
        if (known.has(name) || isOurs.has(name)) continue;
        known.add(name);
        for (let count = 0; count < kinds.length; count++)
          if (kinds[count] !== 'crowd') besiege(host, peerPort);
        if (kinds.includes('crowd')) crowdAround(host, peerPort);
      }
    } catch {
      // The tracker is not there yet, or will have none of this.
    }
  };
  void announce();
  setInterval(() => void announce(), 1000);
});
setInterval(() => console.log(JSON.stringify({ event: 'did', ...did })), 1000);
