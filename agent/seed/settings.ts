/** How much the seeder of the real system may take: /etc/swarmboot/seed.conf over what stage-1 was told. Pure. */

export interface SeedSettings {
  /** In MiB per second; 0: no limit. */
  readonly rateMiB: number;
  /** Peers that are served at the same time, and connections in all. */
  readonly slots: number;
  readonly connections: number;
  readonly port: number | undefined;
  /** 1: tells the link by multicast that it is there (BEP 14); 0: does not. */
  readonly discovery: number;
}

/** A sixth of a gigabit link: the machine belongs to whoever sits in front of it. */
export const DEFAULT_SETTINGS: SeedSettings = {
  rateMiB: 20,
  slots: 4,
  connections: 16,
  port: undefined,
  discovery: 1,
};

const KEYS: Readonly<
  Record<string, { readonly key: keyof SeedSettings; readonly least: number; readonly most: number }>
> = {
  RATE: { key: 'rateMiB', least: 0, most: 100_000 },
  SLOTS: { key: 'slots', least: 1, most: 64 },
  CONNECTIONS: { key: 'connections', least: 1, most: 500 },
  PORT: { key: 'port', least: 1, most: 65_535 },
  DISCOVERY: { key: 'discovery', least: 0, most: 1 },
};

/**
 * Parses lines `KEY=NUMBER` over `defaults`; `#` begins a comment. A line that is not understood keeps its default and
 * is complained about: a typing error must not end the seeding of a room.
 */
export function parseSettings(
  text: string,
  defaults: SeedSettings,
): { readonly settings: SeedSettings; readonly complaints: readonly string[] } {
  let settings = defaults;
  const complaints: string[] = [];
  for (const line of text.slice(0, 65_536).split('\n')) {
    const plain = line.replace(/#.*$/, '').trim();
    if (plain === '') continue;
    const [, name = '', value = ''] = /^([A-Z]+)\s*=\s*"?(\d{1,9})"?$/.exec(plain) ?? [];
    const known = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
    const number = Number(value);
    if (known && value !== '' && number >= known.least && number <= known.most) {
      settings = { ...settings, [known.key]: number };
    } else {
      const takes = known ? `${name} takes a number from ${known.least} to ${known.most}` : '';
      complaints.push(
        `Line "${plain}" is ignored: ${takes || `the settings are ${Object.keys(KEYS).join(', ')}`}`,
      );
    }
  }
  return { settings, complaints };
}
