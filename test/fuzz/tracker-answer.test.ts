import { fuzzTest } from './run-target.ts';

fuzzTest('tracker-answer', 1000);
