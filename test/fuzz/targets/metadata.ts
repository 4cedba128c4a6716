/**
 * ut_metadata (BEP 9) through guard, wire and package: as a server of a dictionary and as one that fetches it. The input is
 * a row of messages, each with a byte for its length before it.
 */
import assert from 'node:assert/strict';
import type { UtMetadata } from 'ut_metadata';
import { encodeBencode } from '../../../torrent/bencode.ts';
import { GuardedWire } from '../../../torrent/wire/guarded-wire.ts';
import { metadataExtension } from '../../../torrent/wire/metadata-extension.ts';
import type { Target } from '../target.ts';

const INFOHASH = Buffer.alloc(20, 1);
const SERVED = Buffer.alloc(20_000, 5);

const greeting = Buffer.concat([
  Buffer.from('BitTorrent protocol'),
  Buffer.from([0, 0, 0, 0, 0, 0x10, 0, 4]),
  INFOHASH,
  Buffer.alloc(20, 2),
]);
const row = (...messages: readonly Buffer[]): Buffer =>
  Buffer.concat(messages.flatMap((message) => [Buffer.from([message.length]), message]));
const hello = (size: number): Buffer =>
  Buffer.concat([Buffer.from([20, 0]), encodeBencode({ m: { ut_metadata: 1 }, metadata_size: size })]);
const message = (fields: Record<string, number>, payload = ''): Buffer =>
  Buffer.concat([Buffer.from([20, 1]), encodeBencode(fields), Buffer.from(payload)]);

function open(serve: boolean, sent: Buffer[]) {
  const wire = new GuardedWire({
    direction: 'tcpIncoming',
    shape: undefined,
    metadataBytes: serve ? SERVED.length : 0,
    now: () => 0,
    send: (bytes) => sent.push(Buffer.from(bytes)),
    sendLater: (bytes) => sent.push(Buffer.from(bytes)),
    described: ({ metadataSize }) => {
      if (serve || metadataSize === undefined || metadataSize > 2 ** 20) return;
      wire.metadataGuard.expect(metadataSize);
      (wire as unknown as { ut_metadata: UtMetadata }).ut_metadata.fetch();
    },
  });
  let received: Buffer | undefined;
  wire.use(
    metadataExtension(
      serve
        ? { serve: SERVED }
        : {
            received: (info) => {
              received = info;
            },
          },
    ),
  );
  wire.on('handshake', () => wire.greet(INFOHASH, Buffer.alloc(20, 3)));
  assert.equal(wire.receiveHandshake(greeting), undefined);
  return { wire, received: () => received };
}

export const makeTarget = (): Target => ({
  sources: ['torrent/wire/', 'node_modules/ut_metadata/', 'torrent/bencode.ts'],
  seeds: [
    row(hello(5), message({ msg_type: 0, piece: 0 }), message({ msg_type: 0, piece: 1 })),
    row(hello(5), message({ msg_type: 1, piece: 0, total_size: 5 }, 'd1:ae')),
    row(hello(5), message({ msg_type: 2, piece: 0 }), message({ msg_type: 2, piece: 0 })),
    row(hello(40_000), message({ msg_type: 2, piece: 1 }), message({ msg_type: 9, piece: 1 })),
  ],
  dictionary: [
    '8:msg_typei0e',
    '8:msg_typei1e',
    '8:msg_typei2e',
    '5:piecei',
    '10:total_sizei',
    '13:metadata_sizei5e',
    'ee',
    'd',
    Buffer.from([20, 1]),
    Buffer.from([20, 0]),
  ],
  async run(input) {
    const words: string[] = [];
    for (const serve of [true, false]) {
      const sent: Buffer[] = [];
      const { wire, received } = open(serve, sent);
      let refusal: string | undefined;
      for (let at = 0; at < input.length && !refusal; at += 1 + input[at]!) {
        const body = input.subarray(at + 1, at + 1 + input[at]!);
        if (body.length >= 3 && body[0] === 20) refusal = wire.receive(Buffer.from(body));
      }
      // ut_metadata hands a finished dictionary on in a promise of its own.
      await new Promise((resolve) => setImmediate(resolve));
      wire.end();
      const bytes = sent.reduce((sum, part) => sum + part.length, 0);
      assert.ok(bytes <= 4096 + 4 * 2 * (SERVED.length + 1024), `${bytes} bytes were sent`);
      assert.ok((received()?.length ?? 0) <= 2 ** 20);
      words.push(`${refusal ?? 'fine'} ${received() !== undefined}`);
    }
    return words.join(', ');
  },
});
