import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { formatEndpoint, makeEndpoint, parseEndpoint } from '../../torrent/endpoint.ts';

suite('endpoint', () => {
  test('reads addresses, names and bracketed IPv6', () => {
    assert.deepEqual(parseEndpoint('10.0.0.1:6881'), { host: '10.0.0.1', port: 6881 });
    assert.deepEqual(parseEndpoint('boot.example:80'), { host: 'boot.example', port: 80 });
    assert.deepEqual(parseEndpoint('[fe80::1]:6881'), { host: 'fe80::1', port: 6881 });
  });

  for (const wrong of [
    '',
    ':1',
    'a:',
    'a:0',
    'a:65536',
    'a:1:2',
    '::1:80',
    '[zz]:80',
    '[1.2.3.4]:80',
    'a b:1',
    '-x:1',
    'a\n:1',
    'x/y:1',
    `${'a'.repeat(254)}:1`,
  ]) {
    test(`refuses ${JSON.stringify(wrong.slice(0, 20))}`, () =>
      assert.equal(parseEndpoint(wrong), undefined));
  }

  test('round trip', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
        fc.integer({ min: 1, max: 65535 }),
        (host, port) => {
          const endpoint = makeEndpoint(host, port);
          if (endpoint) assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint);
          assert.ok(endpoint, `${host} is a host`);
        },
      ),
    );
  });

  test('any text gives an endpoint or undefined', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const endpoint = parseEndpoint(text);
        if (endpoint) assert.ok(makeEndpoint(endpoint.host, endpoint.port));
      }),
    );
  });
});
