import { fuzzTest } from './run-target.ts';

fuzzTest('wire', 500);
