import type { Answer } from '../../../proofs/lib/history.ts';
import { IdempotencyError } from '../../../src/errors.ts';
import type { Content, Message } from './message.ts';
import type { AnswerView } from './terms.ts';
import { nounOf } from './words.ts';

/** What a process does when it sends a message of this name. */
const SENDS: Readonly<Record<string, string>> = {
  claim: 'sends its claim to the table',
  takeover: 'asks the table to take the record over',
  completion: 'sends the outcome to the table',
  release: 'asks the table to release the record',
  removal: 'asks the table to take its claim back',
  checkpoint: 'sends the result of the step to the table',
  extension: 'asks the table for a longer lease',
  read: 'looks at the table',
  transaction: 'sends the payment and the outcome to the table, as one write',
};

/** What a process does by sending this. */
export function sendingOf({ name, to, text }: Content): string {
  if (to === 'client') return `answers ${text}`;
  return SENDS[name] ?? (name === text ? `asks for the ${nounOf(name)}` : `asks the bank for €${text.split('€')[1]}`);
}

/** What a process was doing when it died. */
export function doingOf(message: Message): string {
  const noun = nounOf(message.content.name);
  if (message.stage === 'leaving') return `its ${noun} has not left`;
  if (message.stage === 'sent') return `its ${noun} is on its way`;
  return message.stage === 'applied' ? `the answer to its ${noun} is on its way` : `it has the answer to its ${noun}`;
}

/** What a caller gets, as the oracle knows it. `thrown`: what the code itself has thrown. */
export function answerOf(error: unknown, thrown: unknown): Answer {
  if (error !== thrown && error instanceof IdempotencyError) return { kind: 'refused', code: error.code };
  return { kind: 'threw', text: (error as Error).message };
}

/** As an API would say it. */
export function viewOf(answer: Answer, error: unknown): AnswerView {
  if (answer.kind === 'returned') return { kind: 'returned', title: '201 Created', text: answer.text };
  if (error instanceof IdempotencyError) {
    return { kind: 'refused', title: `${error.statusCode} ${error.code}`, text: error.message };
  }
  const { name, message } = error as Error;
  const status = name === 'TimeoutError' ? '504 Timeout' : message === 'card declined' ? '402 Declined' : '500 Error';
  return { kind: 'threw', title: status, text: message };
}
