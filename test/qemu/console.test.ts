import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Console, ConsoleError } from '../../qemu/console.ts';

const soon = { timeoutMs: 5000 };

function make() {
  let seconds = 0;
  const machine = new Console(() => seconds);
  return {
    machine,
    say: (text: string, at = seconds) => {
      seconds = at;
      machine.feed(Buffer.from(text));
    },
  };
}

const refused = (code: ConsoleError['code'], message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ConsoleError);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

describe('expect', () => {
  it('finds what was said before and what comes later, in pieces', async () => {
    const { machine, say } = make();
    say('SeaBIOS\r\niPXE init', 1);
    assert.equal((await machine.expect(/SeaBIOS/, soon)).seconds, 1);
    const later = machine.expect(/initialising (\w+)/, soon);
    say('ialising dev', 2);
    const found = await later;
    assert.equal(found.match[1], 'dev');
    assert.equal(found.seconds, 2);
  });

  it('moves a cursor, so that earlier output cannot satisfy a later expectation', async () => {
    const { machine, say } = make();
    say('trap login: \nhandoff\n');
    await machine.expect(/handoff\n/, soon);
    const login = machine.expect(/^(\S+) login: /m, soon);
    say('debian login: ');
    assert.equal((await login).match[1], 'debian');
  });

  it('leaves the cursor alone when told where to begin', async () => {
    const { machine, say } = make();
    say('one two three');
    const two = await machine.expect(/two/, { ...soon, from: 0 });
    assert.equal(two.end, 7);
    assert.equal((await machine.expect(/o/, soon)).end, 1);
    await assert.rejects(machine.expect(/two/, { timeoutMs: 1, from: two.end }), refused('timeout', /two/));
  });

  it('rejects at the deadline with the last lines of the console', async () => {
    const { machine, say } = make();
    say('No bootable device.\n');
    await assert.rejects(
      machine.expect(/login/, { timeoutMs: 5 }),
      refused('timeout', /\/login\/ within 0.005 s[\s\S]*\| No bootable device\./),
    );
  });

  it('rejects when the machine ends, those who wait and those who come later', async () => {
    const { machine, say } = make();
    const waiting = machine.expect(/login/, soon);
    say('bye');
    machine.close('Machine m1 ended (signal SIGKILL)');
    await assert.rejects(waiting, refused('closed', /Machine m1 ended \(signal SIGKILL\) before/));
    await assert.rejects(machine.expect(/login/, soon), refused('closed', /ended/));
    assert.equal((await machine.expect(/bye/, soon)).match[0], 'bye', 'what was said is still there');
  });

  it('is given up by a signal', async () => {
    const { machine } = make();
    const controller = new AbortController();
    const waiting = machine.expect(/login/, { ...soon, signal: controller.signal });
    controller.abort();
    await assert.rejects(waiting, refused('aborted', /login/));
  });
});

describe('text', () => {
  it('loses escape sequences and carriage returns, wherever chunks are cut', () => {
    const raw = Buffer.from('\x1b[2J\x1b[01;01HBooting from ROM\x1b[0m\r\n\x1b[1mä login: \x1b(B');
    fc.assert(
      fc.property(fc.array(fc.nat(raw.length), { maxLength: 8 }), (cuts) => {
        const { machine } = make();
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), raw.length]) {
          machine.feed(raw.subarray(from, cut));
          from = cut;
        }
        machine.close('done');
        assert.deepEqual(
          machine.lines.map(({ text }) => text),
          ['Booting from ROM', 'ä login: '],
        );
      }),
    );
  });

  it('gives each line the time of its end, and tells listeners', () => {
    const { machine, say } = make();
    const heard: string[] = [];
    const stop = machine.onLine(({ text, seconds }) => heard.push(`${seconds} ${text}`));
    say('a', 1);
    say('b\nc\n', 2);
    stop();
    say('d\n', 3);
    assert.deepEqual(heard, ['2 ab', '2 c']);
    assert.deepEqual(
      machine.lines.map(({ offset }) => offset),
      [0, 3, 5],
    );
  });

  it('keeps offsets when a guest prints for ever', async () => {
    const { machine, say } = make();
    const flood = `${'x'.repeat(1023)}\n`.repeat(1024);
    for (let mebibyte = 0; mebibyte < 20; mebibyte++) say(flood);
    const before = machine.end;
    assert.equal(before, 20 * 1024 * 1024);
    say('login: ');
    assert.equal((await machine.expect(/login: /, { ...soon, from: before })).end, before + 7);
  });
});
