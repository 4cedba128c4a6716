/** SVG as text. Pure. */

const escapeText = (text: string): string =>
  text.replace(
    /[&<>"]/g,
    (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign,
  );

/** Two digits after the point are finer than any screen. */
const format = (value: string | number): string =>
  typeof value === 'number' ? String(Math.round(value * 100) / 100) : escapeText(value);

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** `content` is markup already. */
export function element(name: string, attributes: Attributes, content: readonly string[] = []): string {
  const words = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${format(value ?? '')}"`);
  const head = `<${name}${words.join('')}`;
  return content.length === 0 ? `${head}/>` : `${head}>${content.join('')}</${name}>`;
}

export const text = (x: number, y: number, words: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, [escapeText(words)]);

export const line = (x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): string =>
  element('line', { x1, y1, x2, y2, ...attributes });

/** A whole picture on white, so that it can be read on a dark page too. `title` is for those who cannot see it. */
export function picture(width: number, height: number, title: string, content: readonly string[]): string {
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'font-family': 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif',
      'font-size': 13,
      fill: '#333',
    },
    [
      element('title', {}, [escapeText(title)]),
      element('rect', { width, height, fill: '#fff' }),
      ...content.map((part) => `\n${part}`),
      '\n',
    ],
  )}\n`;
}
