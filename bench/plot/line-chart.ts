/** Lines over a number of machines, each named at its end. Pure: data in, SVG out. */
import { linearScale, logScale } from './scale.ts';
import { element, line, picture, text } from './svg.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Least and most of what the point stands for. */
  readonly range?: readonly [number, number];
}

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
  /** Simulated or computed, not measured. */
  readonly dashed?: boolean;
  /** The one that the picture is about. */
  readonly strong?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** Default: from 0 to what the data needs. */
  readonly yFrom?: number;
  /** Values above it leave the picture; their line goes to its edge. */
  readonly yTo?: number;
}

const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 64;
const RIGHT = 170;
const TOP = 44;
const BOTTOM = 52;
/** Between the names at the ends of two lines, in units of the picture. */
const NAME_HEIGHT = 16;

/** Pushes values apart to at least `gap`, keeping their order, as close to where they were as that allows. */
export function spread(values: readonly number[], gap: number, most: number): number[] {
  const order = values.map((value, index) => ({ value, index })).toSorted((a, b) => a.value - b.value);
  const placed: number[] = [];
  for (const { value } of order)
    placed.push(Math.max(value, (placed.at(-1) ?? Number.NEGATIVE_INFINITY) + gap));
  for (let index = placed.length - 1, limit = most; index >= 0; index--, limit -= gap)
    placed[index] = Math.min(placed[index] ?? limit, limit);
  const result: number[] = [];
  for (const [place, { index }] of order.entries()) result[index] = placed[place] ?? 0;
  return result;
}

const label = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** Throws if there is nothing to draw. */
export function lineChart({ title, x, y, series, yFrom = 0, yTo }: Chart): string {
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) throw new Error('Cannot draw a chart without a point');
  const xs = [...new Set(points.map((point) => point.x))].toSorted((a, b) => a - b);
  const [leastX = 1] = xs;
  const mostX = xs.at(-1) ?? leastX;
  const mostY = yTo ?? Math.max(...points.map(({ y: value, range }) => range?.[1] ?? value)) * 1.05;
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const across = logScale([leastX, mostX === leastX ? leastX * 2 : mostX], [LEFT + 12, right - 12], xs);
  const up = linearScale([yFrom, mostY], [bottom, TOP]);
  const height = (value: number): number => up.at(Math.min(value, mostY));

  const grid = up.ticks.flatMap((tick) => [
    line(LEFT, up.at(tick), right, up.at(tick), { stroke: '#e4e4e4' }),
    text(LEFT - 8, up.at(tick) + 4, label(tick), { 'text-anchor': 'end', fill: '#666' }),
  ]);
  const marks = across.ticks.map((tick) =>
    text(across.at(tick), bottom + 20, label(tick), { 'text-anchor': 'middle', fill: '#666' }),
  );
  const drawn = series.filter((one) => one.points.length > 0);
  const lines = drawn.map(({ points: own, colour, dashed, strong }) => {
    const sorted = own.toSorted((a, b) => a.x - b.x);
    const ranges = sorted
      .filter(({ range }) => range !== undefined)
      .map(({ x: at, range: [low, high] = [0, 0] }) =>
        line(across.at(at), height(low), across.at(at), height(high), {
          stroke: colour,
          'stroke-width': 1.2,
        }),
      );
    const dots = dashed
      ? []
      : sorted.map(({ x: at, y: value }) =>
          element('circle', { cx: across.at(at), cy: height(value), r: strong ? 4 : 3, fill: colour }),
        );
    const path = element('polyline', {
      points: sorted
        .map(({ x: at, y: value }) => `${across.at(at).toFixed(1)},${height(value).toFixed(1)}`)
        .join(' '),
      fill: 'none',
      stroke: colour,
      'stroke-width': strong ? 2.6 : 1.6,
      'stroke-dasharray': dashed ? '5 4' : undefined,
    });
    return [...ranges, path, ...dots].join('');
  });
  const ends = drawn.map(({ points: own }) =>
    own.reduce((last, point) => (point.x >= last.x ? point : last)),
  );
  const places = spread(
    ends.map((end) => height(end.y)),
    NAME_HEIGHT,
    bottom,
  );
  const names = drawn.map(({ name, colour, strong }, index) => {
    const end = ends[index];
    const place = places[index] ?? 0;
    const beyond = end !== undefined && end.y > mostY ? ` ${label(end.y)}` : '';
    return [
      line(across.at(end?.x ?? mostX) + 5, height(end?.y ?? 0), right + 4, place, {
        stroke: colour,
        'stroke-width': 0.6,
      }),
      text(right + 8, place + 4, name + beyond, { fill: colour, 'font-weight': strong ? 700 : 400 }),
    ].join('');
  });
  return picture(WIDTH, HEIGHT, title, [
    text(LEFT, 24, title, { 'font-size': 15, 'font-weight': 600 }),
    ...grid,
    ...marks,
    line(LEFT, bottom, right, bottom, { stroke: '#999' }),
    text((LEFT + right) / 2, HEIGHT - 10, x, { 'text-anchor': 'middle' }),
    element('g', { transform: `translate(18 ${(TOP + bottom) / 2}) rotate(-90)` }, [
      text(0, 0, y, { 'text-anchor': 'middle' }),
    ]),
    ...lines,
    ...names,
  ]);
}
