/** What a web server is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { claimForWebseed } from '../../../torrent/policy/claim.ts';
import { Lab, PIECES } from './download-lab.ts';

/** Peers had all the time they get, and gave nothing. */
const LONG_AGO = { startedAt: -60_000, connectedPeers: 1, peersExpected: true };

test('a webseed gets whole pieces, which no peer is asked for meanwhile', () => {
  const lab = new Lab();
  const piece = claimForWebseed(lab.download, LONG_AGO, 0);
  assert.ok(piece >= 0);
  lab.join(1, [piece]);
  assert.equal(lab.outstanding(1), 0);
  lab.apply({ type: 'abandoned', piece });
  assert.equal(lab.outstanding(1) > 0, true);
});

test('nothing while peers may still come', () => {
  const lab = new Lab();
  const begin = { startedAt: 0, connectedPeers: 0, peersExpected: true };
  assert.equal(claimForWebseed(lab.download, begin, 0), -1);
  assert.ok(claimForWebseed(lab.download, { ...begin, peersExpected: false }, 0) >= 0);
  assert.ok(claimForWebseed(lab.download, begin, 60_000) >= 0);
});

test('no piece is claimed beyond what memory holds', () => {
  const lab = new Lab(2);
  assert.ok(claimForWebseed(lab.download, LONG_AGO, 0) >= 0);
  assert.ok(claimForWebseed(lab.download, LONG_AGO, 0) >= 0);
  assert.equal(claimForWebseed(lab.download, LONG_AGO, 0), -1);
});

test('beside other machines each takes its own share; what falls to others only when nothing comes from them', () => {
  const lab = new Lab(PIECES);
  lab.join(1, []);
  const claim = (now: number): number[] => {
    const claimed: number[] = [];
    for (
      let piece = claimForWebseed(lab.download, LONG_AGO, now);
      piece >= 0;
      piece = claimForWebseed(lab.download, LONG_AGO, now)
    )
      claimed.push(piece);
    return claimed;
  };
  const own = claim(0);
  assert.ok(own.length > 0 && own.length < PIECES, `${own.length} of ${PIECES}`);
  assert.ok(own.every((piece) => lab.download.ownership.isMine(piece)));
  assert.equal(own.length + claim(60_000).length, PIECES);
});

test('beside a seed it is a second source of everything, at once', () => {
  const lab = new Lab(PIECES);
  lab.join(1, Bitset.full(PIECES), { fast: false });
  lab.apply({ type: 'choked', peer: 1 });
  const free = PIECES - lab.download.active.size;
  for (let claimed = 0; claimed < free; claimed++) assert.ok(claimForWebseed(lab.download, LONG_AGO, 0) >= 0);
  assert.equal(claimForWebseed(lab.download, LONG_AGO, 0), -1);
});
