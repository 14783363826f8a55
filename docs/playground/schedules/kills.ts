import type { Setup } from '../engine/schedule.ts';
import { nounOf } from '../engine/words.ts';
import type { Ends, Ready } from './ready.ts';

/** One feature of the kill table in `docs/proofs.md`, with all the places where its process can die. */
export interface Killed {
  /** As `proofs/kill` names it. */
  readonly feature: string;
  /** For its ids and for a reader. */
  readonly name: string;
  readonly setup: Partial<Setup>;
  /** The request that is killed. @default 1 */
  readonly victim?: 1 | 2;
  /** What happens before it is sent, and after. */
  readonly before?: string;
  readonly after: string;
  readonly places: readonly string[];
  /** Places from which its effect happens again, of a feature with one charge. */
  readonly repeats?: readonly string[];
}

const TABLE = ['leaving', 'sent', 'applied', 'answered'];
const EFFECT = ['leaving', 'applied', 'answered'];
const EFFECTS = ['charge', 'reserve', 'confirm', 'one', 'two', 'mail'];

/** The places of messages, in their order: four of a request to the table, three of an effect, one of the answer. */
function placesOf(...names: readonly string[]): string[] {
  const moments = (name: string) => (EFFECTS.includes(name) ? EFFECT : TABLE);
  return [...names.flatMap((name) => moments(name).map((moment) => `${name}: ${moment}`)), 'answer: leaving'];
}

const PLAIN = placesOf('claim', 'charge', 'completion');
/** Between the charge and the write that keeps it. */
const UNKEPT = ['charge: applied', 'charge: answered', 'completion: leaving', 'completion: sent'];
const BETWEEN_STEPS = ['charge: applied', 'charge: answered', 'checkpoint 2: leaving', 'checkpoint 2: sent'];
const BETWEEN_TAKEOVER_STEPS = ['charge: applied', 'charge: answered', 'checkpoint: leaving', 'checkpoint: sent'];

/** A retry while the lease is live, one when it has ended, and one when there is an outcome. */
const RETRIES = 'send2 hold2 strays?2 run2 lease? send3 hold3 strays?3 run3 send4 run4 strays';
const RETRIES_OF_2 = 'lease? send3 hold3 strays?3 run3 send4 run4 strays';

export const KILLED: readonly Killed[] = [
  { feature: 'plain', name: 'plain', setup: {}, after: RETRIES, places: PLAIN, repeats: UNKEPT },
  {
    feature: 'plain, in Middy',
    name: 'middy',
    setup: { work: 'middy' },
    after: RETRIES,
    places: PLAIN,
    repeats: UNKEPT,
  },
  {
    feature: 'at most once',
    name: 'at-most-once',
    setup: { expired: 'throw' },
    after: 'send2 hold2 strays?2 run2 lease? send3 hold3 strays?3 run3 resolve? send4 run4 strays',
    places: PLAIN,
  },
  {
    feature: 'replay',
    name: 'replay',
    setup: {},
    victim: 2,
    before: 'send1 run1',
    after: 'send3 run3 strays',
    places: placesOf('claim'),
  },
  {
    feature: 'step',
    name: 'step',
    setup: { work: 'steps' },
    after: RETRIES,
    places: placesOf(
      'claim',
      'reserve',
      'checkpoint',
      'charge',
      'checkpoint 2',
      'confirm',
      'checkpoint 3',
      'completion',
    ),
    repeats: BETWEEN_STEPS,
  },
  {
    feature: 'takeover of steps',
    name: 'takeover-of-steps',
    setup: { work: 'steps' },
    victim: 2,
    before: 'send1 to1:charge.answered kill1 lease',
    after: RETRIES_OF_2,
    places: placesOf('claim', 'takeover', 'charge', 'checkpoint', 'confirm', 'checkpoint 2', 'completion'),
    repeats: BETWEEN_TAKEOVER_STEPS,
  },
  {
    feature: 'step, then a throw',
    name: 'step-then-throw',
    setup: { work: 'throw' },
    after: RETRIES,
    places: placesOf('claim', 'reserve', 'checkpoint', 'release'),
  },
  {
    feature: 'transact',
    name: 'transact',
    setup: { work: 'transact' },
    after: RETRIES,
    places: placesOf('claim', 'transaction'),
  },
  {
    feature: 'idempotentTransaction',
    name: 'transaction',
    setup: { work: 'transaction' },
    after: 'send2 hold2 strays?2 run2 send3 run3 strays',
    places: placesOf('transaction'),
  },
  {
    feature: 'idempotentTransaction, its plan reads',
    name: 'transaction-reads',
    setup: { work: 'transaction-reads' },
    after: 'send2 hold2 strays?2 run2 send3 run3 strays',
    places: placesOf('read', 'transaction'),
  },
  {
    feature: 'complete',
    name: 'complete',
    setup: { work: 'complete' },
    after: RETRIES,
    places: placesOf('claim', 'charge', 'completion', 'mail'),
    repeats: UNKEPT,
  },
  {
    feature: 'extend',
    name: 'extend',
    setup: { work: 'extend' },
    after: RETRIES,
    places: placesOf('claim', 'one', 'extension', 'two', 'completion'),
  },
  {
    feature: 'renewLease',
    name: 'renew-lease',
    setup: { work: 'renew' },
    after: RETRIES,
    places: placesOf('claim', 'one', 'extension', 'two', 'completion'),
  },
  {
    feature: 'owner of a waiting duplicate',
    name: 'owner-of-waiting',
    setup: { busy: 'wait' },
    after: 'lease? run2 strays send3 run3 strays',
    places: PLAIN,
    repeats: UNKEPT,
  },
  {
    feature: 'waiting duplicate',
    name: 'waiting',
    setup: { busy: 'wait' },
    victim: 2,
    before: 'send1 to1:charge.answered kill1',
    after: RETRIES_OF_2,
    places: placesOf('claim', 'read', 'takeover', 'charge', 'completion'),
    repeats: UNKEPT,
  },
];

/** The other features of the kill table, and why the playground has none of their places. */
export const NOT_KILLED: Readonly<Record<string, string>> = {
  'step, record nearly full': 'a record in memory has no limit',
  'transact, answer lost, then refused': 'the refusal is of DynamoDB, of a token that it has forgotten',
  'idempotentTransaction, answer lost, then refused': 'the refusal is of DynamoDB, of a token that it has forgotten',
  parts: 'an outcome in memory is in one piece',
  'POST /payments': 'it is a function of the example, with tables of its own',
  'POST /refunds': 'it is a function of the example, with tables of its own',
  'DELETE /payments': 'it is a function of the example, with tables of its own',
};

/** The id of a kill: `kill-plain-charge-applied`. */
export function killId({ name }: Killed, place: string): string {
  return `kill-${name}-${place.replace(': ', '-').replaceAll(' ', '-')}`;
}

/** The schedule of one kill. */
export function killAt(killed: Killed, place: string): Ready {
  const { feature, setup, victim = 1, before = '', after } = killed;
  const [message = '', moment = ''] = place.split(': ');
  const waits = killed.name === 'owner-of-waiting' ? 'send2 look2' : '';
  const wayThere = killed.name === 'waiting' && !message.startsWith('claim') ? 'look2 lease?' : '';
  const to = `to${victim}:${place.replace(': ', '.').replaceAll(' ', '-')}`;
  return {
    id: killId(killed, place),
    title: `${feature}: killed at "${place}"`,
    lookFor: `Process ${victim} dies ${MOMENTS[moment]?.(nounOf(message))}. ${consequenceOf(killed, place)}`,
    setup: { requests: 4, steps: 'small', ...setup },
    script: [before, `send${victim}`, wayThere, to, waits, `kill${victim}`, after].join(' '),
    ends: endsOf(killed, place),
  };
}

const MOMENTS: Readonly<Record<string, (message: string) => string>> = {
  leaving: (message) => `before its ${message} leaves`,
  sent: (message) => `while its ${message} is on its way, which then arrives late`,
  applied: (message) => `while the answer to its ${message} is on its way`,
  answered: (message) => `when it has the answer to its ${message}`,
};

function consequenceOf({ repeats = [] }: Killed, place: string): string {
  return repeats.includes(place)
    ? 'It had paid, and nothing kept that: the payment happens again.'
    : 'No retry pays again, and every retry gets on.';
}

function endsOf(killed: Killed, place: string): Ends {
  const { name, repeats = [] } = killed;
  const halves = name === 'extend' || name === 'renew-lease';
  const earlier = killed.before?.includes('charge') === true ? 1 : 0;
  const charges = halves ? 0 : 1 + earlier + (repeats.includes(place) ? 1 : 0);
  return { charges, answers: answersOf(killed, place), record: 'COMPLETED' };
}

const PAID = '201 Created';

function answersOf({ name, after, before, places }: Killed, place: string): string[] {
  if (name === 'replay') return [PAID, 'nothing', PAID];
  if (before !== undefined) return ['nothing', 'nothing', PAID, PAID];
  if (!after.includes('send4')) return ['nothing', PAID, PAID];
  const at = places.indexOf(place);
  const isClaimed = at >= places.indexOf('claim: applied');
  const isFree = places.slice(0, at + 1).some((passed) => /^(completion|transaction|release): applied$/.test(passed));
  if (!isClaimed && name === 'step-then-throw') return ['nothing', '500 Error', PAID, PAID];
  if (!isClaimed || isFree) return ['nothing', PAID, PAID, PAID];
  return ['nothing', '409 IN_FLIGHT', name === 'at-most-once' ? '409 OUTCOME_UNKNOWN' : PAID, PAID];
}

/** Every place of the kill table that the playground can show. */
export const KILLS: readonly Ready[] = KILLED.flatMap((killed) => killed.places.map((place) => killAt(killed, place)));
