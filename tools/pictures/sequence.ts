import { arrow, box, type Colour, type Frame, line, picture, text } from './svg.ts';

/** Requests and answers between lanes, from top to bottom. */
export interface Sequence extends Omit<Frame, 'width' | 'height'> {
  readonly lanes: readonly Lane[];
  readonly steps: readonly Step[];
  /** Below them. */
  readonly conclusion: string;
}

interface Lane {
  readonly name: string;
  /** Of its middle. */
  readonly x: number;
}

/** Lanes by their names. */
type Step =
  | {
      readonly from: string;
      readonly to: string;
      readonly says: string;
      readonly colour?: Colour;
      readonly isLost?: boolean;
    }
  | { readonly at: string; readonly notes: string; readonly colour: Colour }
  | { readonly chapter: string };

const [WIDTH, TOP, STEP, HEAD] = [920, 24, 34, 36];

export function sequence({ lanes, steps, conclusion, ...frame }: Sequence): string {
  const xOf = (name: string) => lanes.find((lane) => lane.name === name)?.x ?? 0;
  const bottom = TOP + HEAD + 20 + steps.length * STEP;
  const yOf = (index: number) => TOP + HEAD + 32 + index * STEP;
  return picture({ ...frame, width: WIDTH, height: bottom + 46 }, [
    ...lanes.map(({ x }) => line([x, TOP + HEAD], [x, bottom], 'line', true)),
    ...lanes.map(({ name, x }) => box({ x: x - 80, y: TOP, width: 160, height: HEAD }, [name])),
    ...steps.map((step, index) => drawn(step, yOf(index), xOf)),
    text(WIDTH / 2, bottom + 28, conclusion, { anchor: 'middle', size: 17, isBold: true, colour: 'good' }),
  ]);
}

const GAP = 8;

function drawn(step: Step, y: number, xOf: (lane: string) => number): string {
  if ('chapter' in step)
    return `${line([24, y - 4], [WIDTH - 24, y - 4], 'line')}\n${label(WIDTH / 2, y, step.chapter, 'quiet')}`;
  if ('at' in step) return note(xOf(step.at), y, step.notes, step.colour);
  const { from, to, says, colour = 'ink', isLost = false } = step;
  const way = Math.sign(xOf(to) - xOf(from));
  const [start, end] = [xOf(from) + GAP * way, xOf(to) - GAP * way];
  const stop = isLost ? end - (end - start) * 0.3 : end;
  return [
    arrow(
      [
        [start, y],
        [stop, y],
      ],
      colour,
      isLost,
    ),
    ...(isLost ? [cross(stop + 12 * way, y, colour)] : []),
    text((start + stop) / 2, y - 7, says, { anchor: 'middle', size: 13, colour, hasHalo: true }),
  ].join('\n');
}

/** On the lane, over its line. */
function note(x: number, y: number, says: string, colour: Colour): string {
  const width = widthOf(says) + 24;
  return box({ x: x - width / 2, y: y - 17, width, height: 26 }, [says], { colour, fill: 'back' }).replace(
    'font-size="14"',
    'font-size="13"',
  );
}

function label(x: number, y: number, says: string, colour: Colour): string {
  const width = widthOf(says) + 24;
  return `<rect class="back" x="${x - width / 2}" y="${y - 14}" width="${width}" height="20"/>\n${text(x, y, says, { anchor: 'middle', size: 13, colour, isBold: true })}`;
}

const cross = (x: number, y: number, colour: Colour) =>
  `<path class="${colour}-line" style="stroke-width:2.5" d="M${x - 6},${y - 6}L${x + 6},${y + 6}M${x - 6},${y + 6}L${x + 6},${y - 6}"/>`;

/** About: fonts differ. */
const widthOf = (content: string) => [...content].reduce((sum, letter) => sum + (/[A-Z_]/.test(letter) ? 10 : 7.6), 0);
