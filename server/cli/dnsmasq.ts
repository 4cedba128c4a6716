import { Command } from 'commander';
export function dnsmasqCommand(): Command {
  return new Command('dnsmasq');
}
