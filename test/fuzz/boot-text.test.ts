import { fuzzTest } from './run-target.ts';

fuzzTest('boot-text', 1000);
