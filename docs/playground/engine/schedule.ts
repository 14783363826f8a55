/** What the guarded function does. */
export type Work = (typeof WORKS)[number];
export const WORKS = [
  'charge',
  'unguarded',
  'middy',
  'steps',
  'throw',
  'transact',
  'transaction',
  'transaction-reads',
  'complete',
  'extend',
  'renew',
  'mutate',
] as const;

/** All that is fixed before the first action. */
export interface Setup {
  /** How many requests a reader can send: 2 to 4. */
  readonly requests: number;
  readonly work: Work;
  /** `onExpiredLease` of the guard. */
  readonly expired: 'run' | 'throw';
  /** `onInFlight` of the guard: `'wait'` waits for up to a minute. */
  readonly busy: 'throw' | 'wait';
  /** Whether the bank knows a payment again by the key that `deriveKey` makes. */
  readonly bank: 'forgets' | 'knows-keys';
  /** Whether a message also stops before it leaves, and when its answer has arrived. */
  readonly steps: 'large' | 'small';
}

export const DEFAULT_SETUP: Setup = {
  requests: 2,
  work: 'charge',
  expired: 'run',
  busy: 'throw',
  bank: 'forgets',
  steps: 'large',
};

const CHOICES: { readonly [Name in keyof Setup]: readonly Setup[Name][] } = {
  requests: [2, 3, 4],
  work: WORKS,
  expired: ['run', 'throw'],
  busy: ['throw', 'wait'],
  bank: ['forgets', 'knows-keys'],
  steps: ['large', 'small'],
};

/** What a request asks for: the payment of 50 euros, another amount, no key, or the payment of another order. */
export const VARIANTS = ['same', 'other-amount', 'no-key', 'other-key'] as const;
export type Variant = (typeof VARIANTS)[number];

/** What happens to one request. `lane` is its number, from 1 on. */
const LANE_VERBS = [
  /** Its message goes on, or its process waits for the next timer. */
  'go',
  /** Its message is lost on the way. */
  'lose',
  /** The receiver of its message says no. */
  'refuse',
  /** Its process dies. */
  'kill',
  /** Lambda's early timeout: its caller is answered, its handler goes on. */
  'timeout',
  /** A message arrives that its sender no longer waits for. */
  'late',
  /** That message is lost for good. */
  'drop',
] as const;
type LaneVerb = (typeof LANE_VERBS)[number];

/** What happens to all. */
const WORLD_VERBS = [
  /** A second passes. */
  'second',
  /** The time passes until every live lease has ended on every clock. */
  'lease',
  /** The time passes until every retention has ended. */
  'retention',
  /** The table deletes what has expired. */
  'ttl',
  /** An operator says that the work of the unknown outcome was done. */
  'resolve-done',
  /** An operator says that it was not. */
  'resolve-free',
] as const;
type WorldVerb = (typeof WORLD_VERBS)[number];

export type Action =
  | { readonly verb: 'send'; readonly lane: number; readonly variant: Variant }
  | { readonly verb: LaneVerb; readonly lane: number }
  | { readonly verb: WorldVerb };

/** A run of the playground: what is set up, and what happens one after the other. */
export interface Schedule {
  readonly setup: Setup;
  readonly actions: readonly Action[];
}

/** One action as it stands in a link: `send1`, `send2-other-amount`, `go1`, `lease`. */
export function formatAction(action: Action): string {
  if (!('lane' in action)) return action.verb;
  const variant = action.verb === 'send' && action.variant !== 'same' ? `-${action.variant}` : '';
  return `${action.verb}${action.lane}${variant}`;
}

/** @throws Error that names what is no action */
export function parseAction(text: string): Action {
  if (WORLD_VERBS.includes(text as WorldVerb)) return { verb: text as WorldVerb };
  const [, verb = '', lane = '', variant = 'same'] = /^([a-z]+)([1-5])(?:-([a-z-]+))?$/.exec(text) ?? [];
  if (verb === 'send' && VARIANTS.includes(variant as Variant)) {
    return { verb, lane: Number(lane), variant: variant as Variant };
  }
  if (LANE_VERBS.includes(verb as LaneVerb) && variant === 'same')
    return { verb: verb as LaneVerb, lane: Number(lane) };
  throw new Error(`'${text.slice(0, 40)}' is not an action`);
}

/** A link's text: only what differs from the default. */
export function formatSchedule({ setup, actions }: Schedule): string {
  const parts = Object.entries(setup).filter(([name, value]) => value !== DEFAULT_SETUP[name as keyof Setup]);
  const play = actions.map(formatAction).join('.');
  return [...parts.map(([name, value]) => `${name}=${value}`), `play=${play}`].join('&');
}

/** No link needs more. */
const MAX_ACTIONS = 300;

/** @throws Error that says what is wrong with a link */
export function parseSchedule(text: string): Schedule {
  const given = new Map(text.split('&').map((part) => part.split('=', 2) as [string, string | undefined]));
  const setup: Record<string, unknown> = { ...DEFAULT_SETUP };
  for (const [name, value = ''] of given) {
    if (name === 'play' || name === 'at') continue;
    const choices: readonly unknown[] = Object.hasOwn(CHOICES, name) ? CHOICES[name as keyof Setup] : [];
    const chosen = choices.find((choice) => String(choice) === value);
    if (chosen === undefined) throw new Error(`'${name.slice(0, 40)}=${value.slice(0, 40)}' is not a setting`);
    setup[name] = chosen;
  }
  const words = (given.get('play') ?? '').split('.').filter(Boolean);
  if (words.length > MAX_ACTIONS) throw new Error(`it has more than ${MAX_ACTIONS} actions`);
  return { setup: setup as unknown as Setup, actions: words.map(parseAction) };
}
