/** What an LTSP server has before anybody installs swarmboot: a user, and an ltsp.conf. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServerTree } from './server-tree.ts';

/** A user of the server who logs in on clients. */
export const PUPIL = { user: 'pupil', password: 'learn-2-boot' };

/** `home`: texts of files in the pupil's home, by their path there. */
export async function makeLtspSite(
  server: ServerTree,
  { conf, home }: { readonly conf: string; readonly home: Readonly<Record<string, string>> },
): Promise<void> {
  const { user, password } = PUPIL;
  await server.must(`useradd --create-home --shell /bin/bash ${user}; echo '${user}:${password}' | chpasswd`);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(server.root, path)), { recursive: true });
    writeFileSync(join(server.root, path), text);
  };
  for (const [path, text] of Object.entries(home)) write(`home/${user}/${path}`, text);
  await server.must(`chown -R ${user}: /home/${user}`);
  write('etc/ltsp/ltsp.conf', conf);
}
