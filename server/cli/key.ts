/** `swarmboot key generate | show` */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { createKeyFiles, loadPublicKey } from '../catalog/keys.ts';
import { publicKeyPath, secretKeyPath } from '../catalog/layout.ts';
import { configOption } from './options.ts';

export function keyCommand(): Command {
  const key = new Command('key').description('the key that signs releases');
  key
    .command('generate')
    .description('make release.sec and release.pub; stage-1 is built with the public one')
    .addOption(configOption())
    .option('--force', 'replace a key that exists', false)
    .action((options: { config: string; force: boolean }) => {
      createKeyFiles(options.config, options.force);
      console.log(`swarmboot: made ${secretKeyPath(options.config)} and ${publicKeyPath(options.config)}`);
    });
  key
    .command('show')
    .description('print the public key')
    .addOption(configOption())
    .option('--json', 'print JSON', false)
    .action((options: { config: string; json: boolean }) => {
      const { keyNumber, key: bytes } = loadPublicKey(options.config);
      const path = publicKeyPath(options.config);
      if (options.json) {
        const fields = { path, keyNumber: keyNumber.toString('hex'), key: bytes.toString('base64') };
        console.log(JSON.stringify(fields, null, 2));
      } else process.stdout.write(readFileSync(path, 'utf8'));
    });
  return key;
}
