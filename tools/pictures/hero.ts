import { sequence } from './sequence.ts';

export const hero = () =>
  sequence({
    title: 'A lost answer, and what the retry gets',
    description:
      'A client sends POST /payments with the idempotency key 4711. The guard claims a record in the table, and runs the handler, which charges the card. The guard stores the answer 201 in the record. The answer is lost on its way to the client. The client sends the same request again. The guard finds the completed record, does not run the handler, and answers with the same 201. The card was charged once.',
    lanes: [
      { name: 'Client', x: 110 },
      { name: 'Guard', x: 380 },
      { name: 'Your handler', x: 600 },
      { name: 'DynamoDB', x: 810 },
    ],
    steps: [
      { from: 'Client', to: 'Guard', says: 'POST /payments, key 4711' },
      { from: 'Guard', to: 'DynamoDB', says: 'claim: put if absent', colour: 'accent' },
      { at: 'DynamoDB', notes: 'IN_PROGRESS', colour: 'warn' },
      { from: 'Guard', to: 'Your handler', says: 'run' },
      { at: 'Your handler', notes: 'charges the card', colour: 'bad' },
      { from: 'Guard', to: 'DynamoDB', says: 'complete: if still the owner', colour: 'accent' },
      { at: 'DynamoDB', notes: 'COMPLETED, 201', colour: 'good' },
      { from: 'Guard', to: 'Client', says: '201: the answer is lost', colour: 'bad', isLost: true },
      { chapter: 'The client does not know whether it has paid: it retries' },
      { from: 'Client', to: 'Guard', says: 'the same request, key 4711' },
      { from: 'Guard', to: 'DynamoDB', says: 'claim: refused, with the record', colour: 'accent' },
      { at: 'Your handler', notes: 'does not run', colour: 'good' },
      { from: 'Guard', to: 'Client', says: '201, the same bytes, replayed', colour: 'good' },
    ],
    conclusion: 'Two requests, one charge, one answer',
  });
