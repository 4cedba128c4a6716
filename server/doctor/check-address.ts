/** The check of `swarmboot doctor` that asks the network, not this machine. */
import { askForAddress } from '../setup/address-claim.ts';
import { type Finding, ok, problem, warning } from './finding.ts';
import { readSnippet } from './read-snippet.ts';

/** Two machines with the server's address: each boot reaches one or the other. */
export function checkAddress(options: { readonly snippet: string }): Finding[] {
  const snippet = readSnippet(options.snippet);
  const host = snippet?.serverUrl === undefined ? '' : new URL(snippet.serverUrl).hostname;
  if (snippet?.interface === undefined || !/^[\d.]+$/.test(host)) return []; // the check of dnsmasq tells
  const claim = askForAddress(snippet.interface, host);
  if (claim.kind === 'taken')
    return [
      problem(
        'address',
        `Another machine on ${snippet.interface} (${claim.mac}) has the address ${host} as well`,
        'Give one of the two another address; if it is this one, run "swarmboot setup" again',
      ),
    ];
  if (claim.kind === 'unknown')
    return [
      warning(
        'address',
        `Whether another machine has ${host} as well is not known: ${claim.reason}`,
        'apt-get install iputils-arping, and run "swarmboot doctor" as root',
      ),
    ];
  return [ok('address', `No other machine on ${snippet.interface} has the address ${host}`)];
}
