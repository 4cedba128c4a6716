/**
 * Tells systemd that the service is ready, stopping, and alive (sd_notify(3)): through systemd-notify(1), since Node has
 * no datagram sockets of the unix kind. Without NOTIFY_SOCKET, which systemd sets, nothing happens.
 */
import { execFile } from 'node:child_process';

const NOTIFY_TIMEOUT_MS = 5_000;
/** WatchdogSec= is met with room for two lost signs of life. */
const SIGNS_PER_WATCHDOG = 3;

export interface ServiceNotifier {
  /** Machines can boot now. */
  ready(status: string): void;
  stopping(): void;
  /** No more signs of life; to be called at the end. */
  close(): void;
}

/** How often to give a sign of life, in ms; undefined where systemd does not ask this process for one. */
export function watchdogInterval(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const { WATCHDOG_USEC: microseconds = '', WATCHDOG_PID: addressee } = environment;
  if (!/^[1-9]\d{0,14}$/.test(microseconds)) return undefined;
  if (addressee !== undefined && addressee !== String(pid)) return undefined;
  return Math.max(1, Math.floor(Number(microseconds) / 1000 / SIGNS_PER_WATCHDOG));
}

/**
 * `isAlive` is asked before each sign of life: a server that runs and does not answer is to be restarted. `warn` gets
 * the reason when systemd cannot be told.
 */
export function createServiceNotifier(
  environment: NodeJS.ProcessEnv,
  isAlive: () => Promise<boolean>,
  warn: (message: string) => void,
): ServiceNotifier {
  if (environment.NOTIFY_SOCKET === undefined) return { ready() {}, stopping() {}, close() {} };
  const tell = (...assignments: string[]): void => {
    execFile('systemd-notify', assignments, { timeout: NOTIFY_TIMEOUT_MS, env: environment }, (error) => {
      if (error) warn(`Cannot tell systemd ${assignments.join(' ')}: ${error.message}`);
    });
  };
  const everyMs = watchdogInterval(environment, process.pid);
  const timer =
    everyMs === undefined
      ? undefined
      : setInterval(() => {
          void isAlive().then(
            (alive) => (alive ? tell('WATCHDOG=1') : warn('The server does not answer itself')),
            (error: Error) => warn(`The server does not answer itself: ${error.message}`),
          );
        }, everyMs);
  timer?.unref();
  return {
    ready: (status) => tell('READY=1', `STATUS=${status}`),
    stopping: () => tell('STOPPING=1'),
    close: () => clearInterval(timer),
  };
}
