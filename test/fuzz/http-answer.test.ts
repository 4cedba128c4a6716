import { fuzzTest } from './run-target.ts';

fuzzTest('http-answer', 500);
