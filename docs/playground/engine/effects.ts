import type { Lane } from './lane.ts';
import { nounOf } from './words.ts';

/** An effect outside of the table, of the process of a request. @returns its receipt */
export function effect(lane: Lane, name: string, amount = 0, key?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let receipt = '';
    void lane.post({
      name,
      to: 'bank',
      text: amount > 0 ? `${name} €${amount}` : name,
      apply: async () => {
        receipt = lane.session.happen(lane, name, amount, key);
        return receipt;
      },
      settle: () => resolve(receipt),
      lose: () => {
        lane.note('loss', `Process ${lane.number} gets no answer to its ${nounOf(name)}: its code throws.`);
        reject(new Error('the bank did not answer'));
      },
      refuse: () => {
        lane.note('loss', `The ${nounOf(name)} is refused: the code of process ${lane.number} throws.`);
        reject(new Error('card declined'));
      },
    });
  });
}

/** Whether the plan of a transaction finds its effect already there. */
export function isPaid(lane: Lane): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let found = false;
    void lane.post({
      name: 'read',
      to: 'table',
      text: 'is it paid?',
      apply: async () => {
        found = lane.session.bank.charges.some(({ order }) => order === lane.key);
        return found ? 'yes' : 'no';
      },
      settle: () => resolve(found),
      lose: () => reject(new Error('the bank did not answer')),
    });
  });
}
