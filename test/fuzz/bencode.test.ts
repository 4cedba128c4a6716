import { fuzzTest } from './run-target.ts';

fuzzTest('bencode', 10_000);
