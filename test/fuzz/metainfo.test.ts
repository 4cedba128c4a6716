import { fuzzTest } from './run-target.ts';

fuzzTest('metainfo', 1000);
