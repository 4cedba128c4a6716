import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_LIMIT, listEvents, logEvent } from '../../../server/database/event-log.ts';
import { openDatabase, transaction } from '../../../server/database/open-database.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('newest first, of one machine or all, and never more than the limit', () => {
  const db = openDatabase(temporaryFolder('events'));
  logEvent(db, 1, '52:54:00:aa:00:06', 'first');
  transaction(db, () => {
    for (let index = 0; index < 50; index++) logEvent(db, index, undefined, `event ${index}`);
  });
  assert.deepEqual(listEvents(db, { mac: '52:54:00:aa:00:06', limit: 9 }), [
    { id: 1, atMs: 1, mac: '52:54:00:aa:00:06', text: 'first' },
  ]);
  assert.deepEqual(
    listEvents(db, { limit: 2 }).map(({ text }) => text),
    ['event 49', 'event 48'],
  );
  transaction(db, () => {
    for (let index = 0; index < EVENT_LIMIT; index++) logEvent(db, index, undefined, 'x');
  });
  assert.equal(listEvents(db, { limit: 1e9 }).length, EVENT_LIMIT);
  assert.equal(listEvents(db, { mac: '52:54:00:aa:00:06', limit: 9 }).length, 0);
  db.close();
});
