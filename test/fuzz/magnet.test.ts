import { fuzzTest } from './run-target.ts';

fuzzTest('magnet', 1000);
