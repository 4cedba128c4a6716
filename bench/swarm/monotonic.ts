/** CLOCK_MONOTONIC in milliseconds: the same for every process of this host, never set back. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
