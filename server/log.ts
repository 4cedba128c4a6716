/** The server's log: pino, as JSON for machines or as lines for people; both on standard error. */
import { type Logger, pino } from 'pino';

const LEVELS: Readonly<Record<number, string>> = { 30: 'info', 40: 'warning', 50: 'error', 60: 'fatal' };
const OWN_FIELDS = ['level', 'time', 'pid', 'hostname', 'msg', 'reqId', 'err'];

/** One line of pino's JSON as `12:00:00 warning message key=value`. */
export function humanLine(json: string): string {
  const record = JSON.parse(json) as Record<string, unknown>;
  const time = new Date(Number(record.time)).toISOString().slice(11, 19);
  const fields = Object.entries(record)
    .filter(([key]) => !OWN_FIELDS.includes(key))
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const error = record.err as { message?: string; stack?: string } | undefined;
  const text = `${time} ${LEVELS[Number(record.level)] ?? record.level} ${record.msg ?? ''}${fields.join('')}`;
  // Values come from the network: no line breaks and no terminal sequences.
  const oneLine = text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '?');
  return error ? `${oneLine}\n${error.stack ?? error.message}\n` : `${oneLine}\n`;
}

export function createLog(json: boolean): Logger {
  if (json) return pino(process.stderr);
  return pino({}, { write: (line: string) => process.stderr.write(humanLine(line)) });
}
