import { arrow, box, picture, text } from './svg.ts';

const small = (x: number, y: number, content: string) =>
  text(x, y, content, { anchor: 'middle', size: 12.5, colour: 'quiet' });

export const outbox = () =>
  picture(
    {
      title: 'The outbox pipeline: each payment is booked once',
      description:
        'POST /payments writes the payment, an event and the answer in one transaction. The stream of the table hands the event to the publisher, which sends it to a queue. The queue hands it to the consumer of the ledger, which books a debit and a credit in one transaction with its own record. Stream and queue deliver at least once. The consumer books each event once. Events that cannot be published or booked go to a dead-letter queue.',
      width: 920,
      height: 270,
    },
    [
      box(
        { x: 20, y: 80, width: 190, height: 84 },
        ['POST /payments', 'payment + event + answer', 'in one transaction'],
        { colour: 'good' },
      ),
      box({ x: 275, y: 87, width: 120, height: 70 }, ['Publisher', 'a function']),
      box({ x: 460, y: 87, width: 120, height: 70 }, ['Queue', 'SQS']),
      box(
        { x: 645, y: 80, width: 255, height: 84 },
        ['Consumer of the ledger', 'debit + credit + its record', 'in one transaction'],
        { colour: 'good' },
      ),
      arrow([
        [210, 122],
        [268, 122],
      ]),
      small(239, 112, 'stream'),
      arrow([
        [395, 122],
        [453, 122],
      ]),
      arrow([
        [580, 122],
        [638, 122],
      ]),
      text(115, 52, 'written once', { anchor: 'middle', colour: 'good', isBold: true }),
      text(424, 52, 'delivered at least once', { anchor: 'middle', colour: 'warn', isBold: true }),
      text(772, 52, 'booked once', { anchor: 'middle', colour: 'good', isBold: true }),
      box({ x: 235, y: 215, width: 180, height: 34 }, ['UnpublishedEvents'], { isDashed: true, fill: 'back' }),
      box({ x: 440, y: 215, width: 180, height: 34 }, ['LedgerDeadLetters'], { isDashed: true, fill: 'back' }),
      arrow(
        [
          [335, 157],
          [335, 208],
        ],
        'bad',
        true,
      ),
      arrow(
        [
          [520, 157],
          [520, 208],
        ],
        'bad',
        true,
      ),
      text(325, 188, 'gives up', { anchor: 'end', size: 12.5, colour: 'quiet' }),
      text(530, 188, 'five receives', { size: 12.5, colour: 'quiet' }),
    ],
  );
