import { fuzzTest } from './run-target.ts';

fuzzTest('manifest', 1000);
