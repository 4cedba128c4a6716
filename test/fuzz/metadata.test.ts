import { fuzzTest } from './run-target.ts';

fuzzTest('metadata', 1000);
