/**
 * Names that people give: of machines and of groups (rooms). They stand in iPXE menus, on command lines and in
 * terminals, so they are held to letters, digits and `. _ -`, which mean nothing anywhere. Pure.
 */
import { Failure } from '../failure.ts';
import { parseMac } from '../netboot/machine-query.ts';

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,46}[A-Za-z0-9])?$/;

/** Returns `text`; throws `Failure` `bad-option` unless it may name a `what` ("machine", "group"). */
export function checkGivenName(text: string, what: string): string {
  // A name that is also a MAC address would hide the machine that has it.
  if (NAME.test(text) && parseMac(text) === undefined) return text;
  throw new Failure(
    'bad-option',
    `"${text}" cannot name a ${what}: take 1 to 48 letters, digits and . _ - beginning and ending with a letter or digit`,
  );
}

/** Returns the MAC address in its one form; throws `Failure` `bad-option`. */
export function checkMac(text: string): string {
  const mac = parseMac(text);
  if (mac !== undefined) return mac;
  throw new Failure('bad-option', `"${text}" is not a MAC address like 52:54:00:12:34:56`);
}
