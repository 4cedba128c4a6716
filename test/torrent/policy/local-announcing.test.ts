import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalAnnouncing } from '../../../torrent/policy/local-announcing.ts';

const half = (): number => 0.5;

test('at once, again after a second, then every five minutes', () => {
  const announcing = new LocalAnnouncing({ startedAt: 1000, random: half });
  assert.equal(announcing.dueAt, 1000);
  announcing.sent(3, 1000);
  assert.equal(announcing.dueAt, 2000);
  announcing.sent(3, 2000);
  assert.equal(announcing.dueAt, 302_000);
  announcing.sent(0, 302_000);
  assert.equal(announcing.dueAt, 362_000, 'nobody to talk to: every minute');
});

/** One that has said what it has to say at the start, at 0 and 1000. */
function settled(random = half): LocalAnnouncing {
  const announcing = new LocalAnnouncing({ startedAt: 0, random });
  announcing.sent(5, 0);
  announcing.sent(5, 1000);
  return announcing;
}

test('a stranger is dialed and answered soon; who is known already, not again', () => {
  const announcing = settled();
  assert.equal(announcing.heard('10.0.0.2', 6881, 5, 20_000), 'dial');
  assert.equal(announcing.dueAt, 20_150);
  announcing.sent(5, 20_150);
  assert.equal(announcing.heard('10.0.0.2', 6881, 5, 40_000), 'leave');
  assert.ok(announcing.dueAt > 300_000, 'no answer');
});

test('enough other voices, and ours is not needed', () => {
  const announcing = settled();
  for (const known of [3, 4, 5]) announcing.heard(`10.0.0.${known}`, 6881, 5, 2000);
  announcing.sent(5, 10_000);
  announcing.heard('10.0.0.2', 6881, 5, 20_000);
  assert.equal(announcing.dueAt, 20_150);
  for (const last of [3, 4, 5]) announcing.heard(`10.0.0.${last}`, 6881, 5, 20_010);
  assert.ok(announcing.dueAt > 200_000);
});

test('among many, few dial a newcomer', () => {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  let dials = 0;
  for (let machine = 0; machine < 400; machine++) {
    if (settled(random).heard('10.0.0.2', 6881, 400, 20_000) === 'dial') dials++;
  }
  assert.ok(dials >= 2 && dials <= 20, `${dials} of 400`);
});

test('a flood of strangers gets little: few addresses of one host, few in a minute, rare answers', () => {
  const announcing = settled();
  let dials = 0;
  let answers = 0;
  for (let at = 0; at < 60_000; at += 5) {
    const now = 20_000 + at;
    if (announcing.heard('10.0.0.66', 1 + (at % 60_000), 0, now) === 'dial') dials++;
    if (now >= announcing.dueAt) {
      answers++;
      announcing.sent(0, now);
    }
  }
  assert.equal(dials, 32);
  assert.ok(answers <= 13, `${answers} answers in a minute`);
  let fromMany = 0;
  for (let host = 0; host < 1000; host++) {
    if (announcing.heard(`10.0.${host >> 8}.${host & 255}`, 6881, 0, 100_000 + host) === 'dial') fromMany++;
  }
  assert.equal(fromMany, 200);
});

test('datagrams beyond two hundred a second are not read', () => {
  const announcing = settled();
  let admitted = 0;
  for (let n = 0; n < 1000; n++) if (announcing.admits(5000)) admitted++;
  assert.equal(admitted, 200);
  assert.ok(announcing.admits(6000));
});
