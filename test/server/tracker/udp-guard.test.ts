import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UdpGuard } from '../../../server/tracker/udp-guard.ts';

const guard = new UdpGuard(Buffer.alloc(32, 7));
const PROTOCOL = '0000041727101980';
const connect = Buffer.from(`${PROTOCOL}00000000deadbeef`, 'hex');

function idFor(address: string, nowMs: number): Buffer {
  const verdict = guard.judge(connect, address, nowMs);
  assert.equal(verdict.kind, 'answer');
  assert.equal(verdict.bytes.toString('hex', 0, 8), '00000000deadbeef', 'action and transaction id');
  assert.equal(verdict.bytes.length, connect.length, 'no amplification');
  return verdict.bytes.subarray(8);
}

function announce(id: Buffer, change: (message: Buffer) => void = () => {}): Buffer {
  const message = Buffer.alloc(98, 1);
  id.copy(message);
  message.writeUInt32BE(1, 8);
  message.writeUInt32BE(2, 80);
  message.writeUInt32BE(0x08080808, 84);
  message.writeUInt16BE(6881, 96);
  change(message);
  return message;
}

test('an id is good for its address and for two to four minutes', () => {
  const id = idFor('10.0.0.5', 0);
  const kind = (address: string, nowMs: number) => guard.judge(announce(id), address, nowMs).kind;
  assert.equal(kind('10.0.0.5', 0), 'pass');
  assert.equal(kind('10.0.0.5', 230_000), 'pass');
  assert.equal(kind('10.0.0.5', 250_000), 'drop');
  assert.equal(kind('10.0.0.6', 0), 'drop');
  assert.equal(guard.judge(announce(Buffer.from(PROTOCOL, 'hex')), '10.0.0.5', 0).kind, 'drop');
});

test('an announce cannot name another address', () => {
  const verdict = guard.judge(announce(idFor('10.0.0.5', 0)), '10.0.0.5', 0);
  assert.equal(verdict.kind, 'pass');
  assert.equal(verdict.message.readUInt32BE(84), 0);
  assert.equal(verdict.message.toString('hex', 0, 8), PROTOCOL, 'as bittorrent-tracker expects it');
});

test('truncated, over-long and unknown messages are dropped', () => {
  const id = idFor('10.0.0.5', 0);
  const judge = (message: Buffer) => guard.judge(message, '10.0.0.5', 0).kind;
  for (let length = 0; length < 98; length++)
    assert.equal(judge(announce(id).subarray(0, length)), 'drop', String(length));
  assert.equal(judge(announce(id, (message) => message.writeUInt32BE(4, 80))), 'drop', 'event');
  assert.equal(judge(announce(id, (message) => message.writeUInt16BE(0, 96))), 'drop', 'port');
  assert.equal(judge(announce(id, (message) => message.writeUInt32BE(3, 8))), 'drop', 'action');
  const scrape = (hashes: number, extra = 0) =>
    announce(id, (message) => message.writeUInt32BE(2, 8))
      .subarray(0, 16)
      .toString('hex') + '00'.repeat(hashes * 20 + extra);
  assert.equal(judge(Buffer.from(scrape(1), 'hex')), 'pass');
  assert.equal(judge(Buffer.from(scrape(74), 'hex')), 'pass');
  for (const bad of [scrape(0), scrape(75), scrape(1, 3)])
    assert.equal(judge(Buffer.from(bad, 'hex')), 'drop');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(judge(Buffer.from(bytes)), 'drop');
    }),
  );
});
