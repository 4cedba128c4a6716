import { fuzzTest } from './run-target.ts';

fuzzTest('telemetry', 1000);
