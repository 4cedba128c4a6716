import { fuzzTest } from './run-target.ts';

fuzzTest('tracker-server', 1000);
