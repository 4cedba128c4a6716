import { fuzzTest } from './run-target.ts';

fuzzTest('cpio', 1000);
