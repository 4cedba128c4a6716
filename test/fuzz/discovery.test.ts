import { fuzzTest } from './run-target.ts';

fuzzTest('discovery', 1000);
