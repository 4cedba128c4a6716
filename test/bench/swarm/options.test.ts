import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSwarmOptions } from '../../../bench/swarm/options.ts';

const parse = (...args: string[]) => parseSwarmOptions(args)!;

test('quantities carry their unit, or MiB and Mbit/s', () => {
  for (const [text, bytes] of [
    ['64', 64 * 2 ** 20],
    ['64MiB', 64 * 2 ** 20],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['512KiB', 2 ** 19],
  ] as const)
    assert.equal(parse('--size', text).sizeBytes, bytes, text);
  assert.equal(parse('--rate', '50').rateBitsPerSecond, 50e6);
  assert.equal(parse('--rate', '1Gbit').rateBitsPerSecond, 1e9);
});

test('arrivals are all at once or over so many seconds', () => {
  assert.equal(parse().staggerSeconds, 0);
  assert.equal(parse('--arrivals', 'staggered:42.5').staggerSeconds, 42.5);
  const names = (...args: string[]) => parse(...args).engines.map(({ name }) => name);
  assert(names().includes('udpcast'));
  assert(!names('--arrivals', 'staggered:42.5').includes('udpcast'), 'left out unless asked for by name');
});

test('what makes no sense is refused by name', () => {
  for (const [args, message] of [
    [['--size', '0'], /"0" for --size/],
    [['--size', '3MB'], /"3MB" for --size: give a number above 0 and KiB or MiB or GiB/],
    [['--rate', 'fast'], /"fast" for --rate/],
    [['--clients', '0'], /"0" for --clients: give a whole number from 1 to 250/],
    [['--clients', '251'], /"251" for --clients/],
    [['--rounds', '1.5'], /"1.5" for --rounds/],
    [['--arrivals', 'late'], /"late" for --arrivals/],
    [['--engines', 'ours,rsync'], /Cannot bench "rsync": the engines are ours, libtorrent,/],
    [['--origin', 'ftp'], /"ftp" for --origin: give ours or http or libtorrent/],
    [['--engines', 'udpcast', '--arrivals', 'staggered:9'], /Cannot bench "udpcast" so/],
    [['--append'], /--append needs --json/],
    [['--what'], /--what/],
  ] as const)
    assert.throws(() => parseSwarmOptions([...args]), message, args.join(' '));
});

test('help is no run', () => {
  assert.equal(parseSwarmOptions(['--help']), undefined);
});
