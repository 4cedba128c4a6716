import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { keyOf, parsePpm, Screen, shareOf } from '../../qemu/screen.ts';

const RED_AND_BLUE = Buffer.concat([Buffer.from('P6\n2 1\n255\n'), Buffer.from([255, 0, 0, 0, 0, 255])]);

it('knows the keys of a password', () => {
  assert.deepEqual([...'a2-\n\t'].map(keyOf), ['a', '2', 'minus', 'ret', 'tab']);
  assert.throws(() => keyOf('A'), /There is no key for "A" alone/);
});

it('reads a picture, and counts a colour in it', () => {
  const picture = parsePpm(RED_AND_BLUE);
  assert.deepEqual([picture.width, picture.height, shareOf(picture, 0x0000ff)], [2, 1, 0.5]);
  assert.equal(shareOf(picture, 0x00ff00), 0);
  assert.throws(() => parsePpm(RED_AND_BLUE.subarray(0, -1)), /2x1 has 5 bytes/);
  assert.throws(() => parsePpm(Buffer.from('P5\n2 1\n255\n')), /not a PPM/);
});

describe('against something that speaks QMP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-screen-'));
  const socket = join(folder, 'screen');
  const heard: { execute: string; arguments: { keys?: { data: string }[]; filename?: string } }[] = [];
  const server: Server = createServer((peer) => {
    peer.on('error', () => {});
    peer.write('{"QMP": {"version": {}}}\n');
    peer.setEncoding('utf8').on('data', (text: string) => {
      const command = JSON.parse(text) as (typeof heard)[number];
      heard.push(command);
      if (command.execute === 'screendump') writeFileSync(command.arguments.filename ?? '', RED_AND_BLUE);
      const unknown = command.arguments.keys?.some(({ data }) => data === 'dot');
      peer.write('{"event": "RTC_CHANGE", "data": {}}\n');
      peer.write(unknown ? '{"error": {"desc": "no such key"}}\n' : '{"return": {}}\n');
    });
  }).listen(socket);
  after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('types, looks, and passes a refusal on', async () => {
    const screen = await Screen.connect(socket);
    try {
      await screen.type('ab');
      assert.equal(shareOf(await screen.look(join(folder, 'now.ppm')), 0xff0000), 0.5);
      await assert.rejects(screen.type('.'), /QEMU refuses "send-key": no such key/);
    } finally {
      screen.close();
    }
    assert.deepEqual(
      heard.map(({ execute, arguments: { keys } }) =>
        `${execute} ${keys?.map(({ data }) => data) ?? ''}`.trim(),
      ),
      ['qmp_capabilities', 'send-key a', 'send-key b', 'screendump', 'send-key dot'],
    );
  });
});
