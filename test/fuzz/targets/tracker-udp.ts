/**
 * Datagrams of a UDP tracker (BEP 15) through bittorrent-tracker's client, as it is used here. The input is a row of datagrams,
 * each behind two bytes: whether it gets the transaction id that the client expects, and its length.
 */
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { EventEmitter } from 'node:events';
import { announceOnce } from '../../../torrent/tracker-announce.ts';
import { TrackerError } from '../../../torrent/tracker-answer.ts';
import type { Target } from '../target.ts';

/** One input. A client of an earlier one may still be winding up: its socket belongs to that. */
class Play {
  readonly script: Buffer[];
  readonly over = new AbortController();
  requests = 0;
  constructor(input: Buffer) {
    this.script = datagramsOf(input);
  }
}
let play = new Play(Buffer.alloc(0));

function datagramsOf(input: Buffer): Buffer[] {
  const datagrams: Buffer[] = [];
  for (let at = 0; at + 2 <= input.length; at += 2 + input[at + 1]!)
    datagrams.push(input.subarray(at, at + 2 + input[at + 1]!));
  return datagrams;
}

/** Answers each request with the next datagram of the script. */
class ScriptedUdp extends EventEmitter {
  closed = false;
  readonly play = play;
  send(request: Uint8Array): void {
    const { script, over } = this.play;
    this.play.requests++;
    const next = script.shift();
    setImmediate(() => {
      if (!next) over.abort();
      else if (!this.closed) {
        const datagram = Buffer.from(next.subarray(2));
        if (next[0]! < 200 && datagram.length >= 8) datagram.set(request.subarray(12, 16), 4);
        this.emit('message', datagram, {
          address: '10.0.0.1',
          port: 1,
          family: 'IPv4',
          size: datagram.length,
        });
        // No further request comes after an answer that is not a connection.
        setImmediate(() => over.abort());
      }
    });
  }
  close(): void {
    this.closed = true;
  }
  unref(): this {
    return this;
  }
}

const row = (...datagrams: readonly Buffer[]): Buffer =>
  Buffer.concat(datagrams.flatMap((datagram) => [Buffer.from([0, datagram.length]), datagram]));
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const connected = hex('00000000 00000000 0102030405060708');

export const makeTarget = (): Target => {
  dgram.createSocket = () => new ScriptedUdp() as unknown as dgram.Socket;
  return {
    sources: [
      'torrent/tracker-',
      'node_modules/bittorrent-tracker/lib/client/',
      'node_modules/bittorrent-tracker/client.js',
      'node_modules/compact2string/',
    ],
    seeds: [
      row(connected, hex('00000001 00000000 0000000f 00000001 00000002 0a000001 1ae1 0a000002 1ae2')),
      row(connected, connected, hex('00000001 00000000 00000000 00000001 00000002')),
      row(connected, hex('00000003 00000000 6e6f')),
      row(hex('00000003 00000000')),
      row(connected, hex('00000002 00000000 00000001 00000002 00000003')),
    ],
    dictionary: [
      connected,
      hex('00000001'),
      hex('00000002'),
      hex('00000003'),
      hex('0a0000011ae1'),
      hex('ffffffff'),
    ],
    async run(input) {
      const mine = new Play(input);
      play = mine;
      const rounds = mine.script.length;
      try {
        const { peers, intervalMs } = await announceOnce(
          {
            ...{ url: 'udp://10.0.0.1:6969', infohash: Buffer.alloc(20, 1), peerId: Buffer.alloc(20, 2) },
            ...{ port: 1, event: 'started', uploaded: 0, downloaded: 0, left: 1 },
          },
          mine.over.signal,
        );
        assert.ok(peers.length <= 200);
        for (const { port, host } of peers) assert.ok(port > 0 && port < 65_536 && host !== '');
        return `answer ${peers.length > 0} ${intervalMs !== undefined}`;
      } catch (error) {
        if (!(error instanceof TrackerError)) throw error;
        assert.ok(mine.requests <= rounds + 1, 'no more requests than datagrams');
        return `${error.code} ${/invalid [a-z ]*/.exec(error.message)?.[0] ?? ''}`;
      }
    },
  };
};
