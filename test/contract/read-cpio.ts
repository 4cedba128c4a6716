/** Reads newc archives back, to test the writer with other eyes: strict, and no code in common with it. */
export interface Member {
  readonly path: string;
  readonly inode: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly mtime: number;
  readonly device: readonly [major: number, minor: number];
  readonly data: Buffer;
}

export interface Archive {
  readonly members: readonly Member[];
  /** Bytes from the beginning of the archive to the end of its padding. */
  readonly length: number;
}

/** One archive at the beginning of `bytes`. Throws Error where it is not newc. */
export function readCpio(bytes: Buffer): Archive {
  const members: Member[] = [];
  let at = 0;
  for (;;) {
    const header = bytes.toString('latin1', at, at + 110);
    if (!/^070701[0-9A-F]{104}$/.test(header)) throw new Error(`No newc header at ${at}`);
    const field = (index: number): number => Number.parseInt(header.slice(6 + 8 * index, 14 + 8 * index), 16);
    const nameEnd = at + 110 + field(11);
    if (bytes[nameEnd - 1] !== 0) throw new Error(`The name at ${at} does not end in NUL`);
    const path = bytes.toString('utf8', at + 110, nameEnd - 1);
    const start = Math.ceil(nameEnd / 4) * 4;
    const end = start + field(6);
    const next = Math.ceil(end / 4) * 4;
    if (next > bytes.length) throw new Error(`"${path}" goes over the end`);
    for (const pad of [bytes.subarray(nameEnd, start), bytes.subarray(end, next)])
      if (pad.some((byte) => byte !== 0))
        throw new Error(`"${path}" is padded with something else than zeros`);
    at = next;
    if (path === 'TRAILER!!!') return { members, length: at };
    members.push({
      path,
      inode: field(0),
      mode: field(1),
      uid: field(2),
      gid: field(3),
      links: field(4),
      mtime: field(5),
      device: [field(9), field(10)],
      data: bytes.subarray(start, end),
    });
  }
}
