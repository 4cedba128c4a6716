/**
 * A machine's screen and keyboard, through QEMU's machine protocol (docs/interop/qmp-spec in QEMU): what a person in
 * front of it would see and type.
 */
import { readFile, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const ANSWER_MS = 30_000;
/** How long a key is down, and how long none is: an emulated machine must see both, and not take it for a repetition. */
const KEY_MS = 100;
const BETWEEN_KEYS_MS = 250;

/** QKeyCode names that are not the character itself. */
const KEY_NAMES: Readonly<Record<string, string>> = {
  '\n': 'ret',
  '\t': 'tab',
  ' ': 'spc',
  '-': 'minus',
  '.': 'dot',
};

/** The key of a character on a US keyboard, QEMU's QKeyCode. Throws `RangeError` for one that needs more than a key. */
export function keyOf(character: string): string {
  const name = /^[a-z0-9]$/.test(character) ? character : KEY_NAMES[character];
  if (name === undefined) throw new RangeError(`There is no key for "${character}" alone`);
  return name;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue of each pixel, 0 to 255, row by row. */
  readonly pixels: Uint8Array;
}

/** A PPM of QEMU's: `P6`, width, height, 255, then three bytes for each pixel (ppm(5)). */
export function parsePpm(bytes: Buffer): Picture {
  const header = /^P6\n(\d+) (\d+)\n255\n/.exec(bytes.toString('latin1', 0, 64));
  if (!header) throw new Error('This is not a PPM as QEMU writes it');
  const [width, height] = [Number(header[1]), Number(header[2])];
  const pixels = bytes.subarray(header[0].length);
  if (pixels.length !== width * height * 3)
    throw new Error(`A picture of ${width}x${height} has ${pixels.length} bytes`);
  return { width, height, pixels };
}

/** Share of pixels, 0 to 1, that have exactly this colour (`0xRRGGBB`). */
export function shareOf({ width, height, pixels }: Picture, colour: number): number {
  let count = 0;
  for (let at = 0; at < pixels.length; at += 3)
    if ((pixels[at]! << 16) + (pixels[at + 1]! << 8) + pixels[at + 2]! === colour) count++;
  return count / (width * height);
}

interface Answer {
  readonly error?: { readonly desc: string };
  readonly event?: string;
  readonly QMP?: unknown;
}

export class Screen {
  readonly #socket: Socket;
  #text = '';
  #waiting: ((answer: Answer) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    socket.on('error', () => {}); // the machine was switched off; who waits for an answer gets a deadline
  }

  /** `socket`: of the machine, which may have been started just now. */
  static async connect(socket: string): Promise<Screen> {
    const deadline = performance.now() + ANSWER_MS;
    for (;;) {
      const connection = createConnection(socket);
      const connected = await new Promise<boolean>((resolve) => {
        connection.once('connect', () => resolve(true)).once('error', () => resolve(false));
      });
      if (connected) {
        const screen = new Screen(connection);
        await screen.#ask('qmp_capabilities', {});
        return screen;
      }
      if (performance.now() > deadline) throw new Error(`QEMU does not listen on ${socket}`);
      await sleep(100);
    }
  }

  /** One JSON object on each line. */
  #hear(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines.filter((found) => found.trim() !== '')) {
      const answer = JSON.parse(line) as Answer;
      if (answer.event === undefined && answer.QMP === undefined) this.#waiting?.(answer);
    }
  }

  async #ask(execute: string, options: Readonly<Record<string, unknown>>): Promise<void> {
    const deadline = new AbortController();
    try {
      const answer = await Promise.race([
        new Promise<Answer>((resolve) => {
          this.#waiting = resolve;
          this.#socket.write(`${JSON.stringify({ execute, arguments: options })}\n`);
        }),
        sleep(ANSWER_MS, undefined, { signal: deadline.signal }),
      ]);
      if (answer === undefined)
        throw new Error(`QEMU has not answered "${execute}" for ${ANSWER_MS / 1000} s`);
      if (answer.error) throw new Error(`QEMU refuses "${execute}": ${answer.error.desc}`);
    } finally {
      deadline.abort();
      this.#waiting = undefined;
    }
  }

  /** Types text in small letters, digits, `-`, `.`, spaces, tabs and line ends. */
  async type(text: string): Promise<void> {
    for (const key of [...text].map(keyOf)) {
      await this.#ask('send-key', { keys: [{ type: 'qcode', data: key }], 'hold-time': KEY_MS });
      await sleep(KEY_MS + BETWEEN_KEYS_MS);
    }
  }

  /** What is on the screen now. `file` is written anew: a PPM, kept only if `keep`. */
  async look(file: string, keep = false): Promise<Picture> {
    await this.#ask('screendump', { filename: file });
    const picture = parsePpm(await readFile(file));
    if (!keep) await rm(file);
    return picture;
  }

  close(): void {
    this.#socket.destroy();
  }
}
