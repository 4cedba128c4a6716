/** The machine on which a bench ran. */
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Host {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
}

export const thisHost = (): Host => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  kernel: release(),
  node: process.version,
});

export const describeHost = ({ cores, cpu, kernel, node }: Host): string =>
  `${cores} cores, ${cpu}, Linux ${kernel}, Node ${node}`;
