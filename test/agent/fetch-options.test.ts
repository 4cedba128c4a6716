import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFetchOptions } from '../../agent/fetch-options.ts';

const base = ['--manifest', 'http://h/manifest.json', '--key', 'k', '--out', 'o'];

test('defaults', () => {
  assert.deepEqual(parseFetchOptions(base), {
    manifest: 'http://h/manifest.json',
    key: 'k',
    out: 'o',
    lingerSeconds: 0,
    peers: [],
    listenPort: 0,
    localDiscovery: true,
    memoryLimitBytes: undefined,
    deadlineSeconds: 600,
    json: false,
    trace: undefined,
  });
});

test('everything given', () => {
  const options = parseFetchOptions([
    ...base,
    ...['--linger', '30', '--peer', '10.0.0.1:6881', '--peer', '[fd00::1]:1', '--listen-port', '7000'],
    ...['--memory-limit', '128', '--deadline', '20', '--json', '--no-lsd'],
  ]);
  assert.deepEqual(options.peers, [
    { host: '10.0.0.1', port: 6881 },
    { host: 'fd00::1', port: 1 },
  ]);
  assert.deepEqual(
    [
      options.lingerSeconds,
      options.listenPort,
      options.localDiscovery,
      options.memoryLimitBytes,
      options.deadlineSeconds,
      options.json,
    ],
    [30, 7000, false, 128 * 1024 * 1024, 20, true],
  );
});

for (const [args, message] of [
  [[], /--manifest must be given/],
  [base.slice(0, 4), /--out must be given/],
  [[...base, '--peer', 'nonsense'], /--peer takes HOST:PORT.*not "nonsense"/],
  [[...base, '--listen-port', '70000'], /--listen-port takes a number from 0 to 65535, not "70000"/],
  [[...base, '--linger', 'ratio:1'], /--linger takes a number/],
  [[...base, '--hashes'], /--hashes/],
  [[...base, 'extra'], /extra/],
] as const) {
  test(`refused: ${args.slice(base.length).join(' ') || args.join(' ') || 'nothing'}`, () => {
    assert.throws(() => parseFetchOptions([...args]), { code: 'usage', message });
  });
}
