import { fuzzTest } from './run-target.ts';

fuzzTest('extended-handshake', 1000);
