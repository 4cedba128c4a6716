import { fuzzTest } from './run-target.ts';

fuzzTest('tracker-udp', 500);
