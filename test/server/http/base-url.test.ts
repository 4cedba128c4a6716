import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { baseUrl, hostOf, parsePublicUrl } from '../../../server/http/base-url.ts';

const local = { localAddress: '::ffff:10.0.0.1', localPort: 7080 };

test('the Host header is taken if it is a host, the local address otherwise', () => {
  const of = (hostHeader: string | undefined) => baseUrl({ ...local, hostHeader }, undefined);
  assert.equal(of('boot.example:8080'), 'http://boot.example:8080');
  assert.equal(of('10.0.0.9'), 'http://10.0.0.9');
  assert.equal(of('[fd77::1]:7080'), 'http://[fd77::1]:7080');
  assert.equal(of(undefined), 'http://10.0.0.1:7080');
  assert.equal(of('a b'), 'http://10.0.0.1:7080');
  assert.equal(
    baseUrl({ hostHeader: undefined, localAddress: 'fe80::1%eth0', localPort: 80 }, undefined),
    'http://[fe80::1]:80',
  );
  assert.equal(baseUrl({ ...local, hostHeader: 'x' }, 'http://public'), 'http://public');
  assert.equal(hostOf('http://[fd77::1]:7080'), 'fd77::1');
});

test('whatever the header, the result is scheme, host and port only', () => {
  fc.assert(
    fc.property(fc.string(), (hostHeader) => {
      assert.match(baseUrl({ ...local, hostHeader }, undefined), /^http:\/\/[A-Za-z0-9.[\]:-]+$/);
    }),
  );
});

test('a public URL is http, host and port, nothing else', () => {
  assert.equal(parsePublicUrl('http://boot.example:8080/'), 'http://boot.example:8080');
  for (const bad of [
    'https://x',
    'x',
    'http://u@x',
    'http://x/path',
    'http://x/?q',
    'http://x/#h',
    'ftp://x',
  ])
    assert.equal(parsePublicUrl(bad), undefined, bad);
});
