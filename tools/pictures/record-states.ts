import { arrow, box, curve, picture, text } from './svg.ts';

const note = (x: number, y: number, ...lines: readonly string[]) =>
  lines
    .map((content, index) => text(x, y + index * 17, content, { anchor: 'middle', size: 13, colour: 'quiet' }))
    .join('\n');

export const recordStates = () =>
  picture(
    {
      title: 'The states of a record',
      description:
        'A claim writes the record as IN_PROGRESS, with its owner and its lease. When the handler returns, the record becomes COMPLETED, with the outcome, and every retry gets that outcome. When the handler throws, the record becomes RELEASED, and a retry takes it over with the next attempt. When a lease ends without an outcome, a retry takes the record over, too. After the retention the record counts as absent.',
      width: 920,
      height: 400,
    },
    [
      box({ x: 30, y: 130, width: 130, height: 60 }, ['absent', 'or expired'], { isDashed: true, fill: 'back' }),
      box({ x: 350, y: 120, width: 200, height: 80 }, ['IN_PROGRESS', 'owner, attempt,', 'lease'], { colour: 'warn' }),
      box({ x: 720, y: 120, width: 170, height: 80 }, ['COMPLETED', 'outcome'], { colour: 'good' }),
      box({ x: 350, y: 305, width: 200, height: 62 }, ['RELEASED', 'keeps its attempt'], { colour: 'accent' }),
      arrow([
        [160, 160],
        [343, 160],
      ]),
      note(252, 132, 'claim:', 'put if absent'),
      arrow(
        [
          [550, 160],
          [713, 160],
        ],
        'good',
      ),
      note(632, 132, 'the handler returns:', 'complete'),
      arrow(
        [
          [420, 200],
          [420, 298],
        ],
        'bad',
      ),
      text(408, 246, 'the handler throws:', { anchor: 'end', size: 13, colour: 'quiet' }),
      text(408, 263, 'release', { anchor: 'end', size: 13, colour: 'quiet' }),
      arrow(
        [
          [480, 305],
          [480, 207],
        ],
        'accent',
      ),
      text(492, 246, 'a retry takes over:', { size: 13, colour: 'quiet' }),
      text(492, 263, 'attempt + 1', { size: 13, colour: 'quiet' }),
      curve(
        [
          [410, 120],
          [390, 50],
          [510, 50],
          [490, 113],
        ],
        'warn',
      ),
      note(450, 52, 'the lease has ended: a retry takes over, attempt + 1'),
      curve(
        [
          [775, 120],
          [760, 55],
          [850, 55],
          [835, 113],
        ],
        'good',
      ),
      note(805, 56, 'a retry: replay'),
      arrow(
        [
          [805, 200],
          [805, 384],
          [95, 384],
          [95, 197],
        ],
        'quiet',
        true,
      ),
      note(680, 376, 'after the retention'),
    ],
  );
