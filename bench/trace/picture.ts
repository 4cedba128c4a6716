/**
 * A flow as a picture: above, a lane for each machine with what it got over time, in the colours of those who gave it;
 * below, how much each giver gave to each machine. Pure.
 */
import { machineColour, SERVER_COLOUR } from '../plot/palette.ts';
import { linearScale } from '../plot/scale.ts';
import { element, line, picture, text } from '../plot/svg.ts';
import { type Flow, giftMatrix } from './flow.ts';

const WIDTH = 900;
const LEFT = 150;
const RIGHT = 24;
const TOP = 62;
const LANE = 30;
const LANE_GAP = 6;
const CELL_HEIGHT = 22;
/** So many moments, each a column in a lane. */
const MOMENTS = 120;
const OTHERS = [SERVER_COLOUR, '#7a7a7a', '#a8a8a8'];

const colourOf = ({ givers }: Flow, giver: number): string =>
  givers[giver]?.machine === undefined
    ? (OTHERS[Math.min(giver, OTHERS.length - 1)] ?? SERVER_COLOUR)
    : machineColour(givers[giver].machine);

/** Pieces by taker, moment and giver. */
function moments(flow: Flow): number[][][] {
  const sums = flow.takers.map(() => Array.from({ length: MOMENTS }, () => flow.givers.map(() => 0)));
  for (const { atMs, giver, taker, share } of flow.gifts) {
    const moment = Math.min(MOMENTS - 1, Math.floor((atMs / flow.endMs) * MOMENTS));
    const cell = sums[taker]?.[moment];
    if (cell) cell[giver] = (cell[giver] ?? 0) + share;
  }
  return sums;
}

function lanes(flow: Flow, bottom: number): string[] {
  const across = linearScale([0, flow.endMs / 1000], [LEFT, WIDTH - RIGHT], 10);
  const sums = moments(flow);
  const most = Math.max(1, ...sums.flat().map((cell) => cell.reduce((sum, share) => sum + share, 0)));
  const width = (WIDTH - RIGHT - LEFT) / MOMENTS;
  const grid = across.ticks.flatMap((tick) => [
    line(across.at(tick), TOP - 6, across.at(tick), bottom, { stroke: '#e8e8e8' }),
    text(across.at(tick), bottom + 16, `${tick} s`, { 'text-anchor': 'middle', fill: '#666' }),
  ]);
  const rows = flow.takers.map(({ name, startMs, completeMs }, taker) => {
    const base = TOP + taker * (LANE + LANE_GAP) + LANE;
    const heights = flow.givers.map(() => '');
    for (const [moment, cell] of (sums[taker] ?? []).entries()) {
      let level = base;
      for (const [giver, share] of cell.entries()) {
        if (share === 0) continue;
        const height = (share / most) * LANE;
        level -= height;
        // One path for each giver keeps the file small: a bar is a move and three edges.
        heights[giver] +=
          `M${(LEFT + moment * width).toFixed(1)} ${level.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h-${width.toFixed(1)}z`;
      }
    }
    const paths = heights.map((d, giver) =>
      d === '' ? '' : element('path', { d, fill: colourOf(flow, giver) }),
    );
    const mark = (ms: number | undefined): string =>
      ms === undefined
        ? ''
        : line(across.at(ms / 1000), base - LANE, across.at(ms / 1000), base, {
            stroke: '#333',
            'stroke-width': 1.4,
          });
    return [
      element('rect', {
        x: LEFT - 18,
        y: base - LANE / 2 - 6,
        width: 11,
        height: 11,
        rx: 2,
        fill: machineColour(taker),
      }),
      text(LEFT - 26, base - LANE / 2 + 4, name, { 'text-anchor': 'end' }),
      line(LEFT, base, WIDTH - RIGHT, base, { stroke: '#bbb' }),
      ...paths,
      mark(startMs),
      mark(completeMs),
    ].join('');
  });
  return [...grid, ...rows];
}

function matrix(flow: Flow, top: number): string[] {
  const gave = giftMatrix(flow);
  const width = (WIDTH - RIGHT - LEFT - 60) / flow.takers.length;
  const most = Math.max(1, ...gave.flat());
  const heads = flow.takers.flatMap(({ name }, taker) => {
    const middle = LEFT + (taker + 0.5) * width;
    return [
      element('rect', {
        x: middle - 5,
        y: top - 36,
        width: 11,
        height: 11,
        rx: 2,
        fill: machineColour(taker),
      }),
      text(middle, top - 8, name.replace(/^machine-/, ''), { 'text-anchor': 'middle' }),
    ];
  });
  const rows = flow.givers.map(({ name, machine }, giver) => {
    const y = top + giver * CELL_HEIGHT;
    const cells = flow.takers.map((_, taker) => {
      const x = LEFT + taker * width;
      const pieces = gave[giver]?.[taker] ?? 0;
      const share = pieces / most;
      const isSelf = machine === taker;
      return [
        element('rect', {
          x: x + 1,
          y: y + 1,
          width: width - 2,
          height: CELL_HEIGHT - 2,
          fill: isSelf ? '#fff' : colourOf(flow, giver),
          'fill-opacity': isSelf ? 1 : 0.06 + 0.94 * share,
        }),
        isSelf
          ? ''
          : text(x + width / 2, y + CELL_HEIGHT / 2 + 4, pieces === 0 ? '' : String(Math.round(pieces)), {
              'text-anchor': 'middle',
              'font-size': 11,
              fill: share > 0.55 ? '#fff' : '#333',
            }),
      ].join('');
    });
    const sum = (gave[giver] ?? []).reduce((all, pieces) => all + pieces, 0);
    return [
      element('rect', { x: LEFT - 18, y: y + 6, width: 11, height: 11, rx: 2, fill: colourOf(flow, giver) }),
      text(LEFT - 26, y + CELL_HEIGHT / 2 + 4, name, { 'text-anchor': 'end' }),
      ...cells,
      text(WIDTH - RIGHT - 4, y + CELL_HEIGHT / 2 + 4, String(Math.round(sum)), {
        'text-anchor': 'end',
        fill: '#666',
      }),
    ].join('');
  });
  const sumHead = text(WIDTH - RIGHT - 4, top - 8, 'in all', { 'text-anchor': 'end', fill: '#666' });
  return [...heads, sumHead, ...rows];
}

export function flowPicture(flow: Flow, title: string): string {
  const lanesBottom = TOP + flow.takers.length * (LANE + LANE_GAP);
  const matrixTop = lanesBottom + 110;
  const height = matrixTop + flow.givers.length * CELL_HEIGHT + 20;
  return picture(WIDTH, height, title, [
    text(24, 26, title, { 'font-size': 15, 'font-weight': 600 }),
    text(
      24,
      46,
      'What each machine got over time, in the colour of who gave it; a bar marks its start and its end',
      { fill: '#666' },
    ),
    ...lanes(flow, lanesBottom),
    text(
      24,
      lanesBottom + 54,
      `Pieces that each giver (row) gave to each machine (column), of ${flow.pieces}`,
      { fill: '#666' },
    ),
    ...matrix(flow, matrixTop),
  ]);
}
