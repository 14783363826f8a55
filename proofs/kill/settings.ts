import { FLAG, parseOptions, TEXT, TEXTS, UsageError, wholeNumber } from '../../tools/arguments.ts';
import { FEATURES, type Feature, WRONG } from './features.ts';

export interface Settings {
  readonly features: readonly Feature[];
  /** How many processes are killed at a time. */
  readonly lanes: number;
  /** Whether to say what became of every single kill. */
  readonly places: boolean;
  /** Whether promises must be broken. */
  readonly wrong: boolean;
}

export const USAGE = `Usage: npm run test:kill -- [options]

A process calls a guarded function or Lambda handler against DynamoDB Local and is killed
(SIGKILL) wherever it waits for anything: before each request to DynamoDB and each effect
leaves, while it is on its way, when it was applied but not answered, and when the answer
has arrived. The places are counted in a run that nobody kills. After each kill others
retry: while the lease is live, when it is over, and once there is an outcome. Effects are
counted outside of the processes. Fails when a promise is broken. Ctrl-C ends everything.

Options:
  --feature <text>    Only features with this text in their name. May be given again.
  --lanes <number>    How many processes are killed at a time, from 1 to 16. Default 3.
  --places            Say how often each effect has happened after each single kill.
  --wrong             Guards that are wrong on purpose. Fails when one of them breaks no promise.
  -h, --help          Print this.

Environment:
  DYNAMODB_ENDPOINT   A DynamoDB Local that runs already, such as http://127.0.0.1:8000.
                      Default: one is started, with Java 17 or later, or Docker.`;

/** @returns undefined where help is asked for. @throws UsageError */
export function readSettings(args: readonly string[]): Settings | undefined {
  const options = parseOptions(args, { feature: TEXTS, lanes: TEXT, places: FLAG, wrong: FLAG });
  const { help, lanes = '3', feature = [''], places = false, wrong = false } = options;
  if (help === true) return undefined;
  const features = (wrong ? WRONG : FEATURES).filter(({ name }) => feature.some((text) => name.includes(text)));
  if (features.length === 0) throw new UsageError(`no feature has ${feature.join(' or ')} in its name`);
  return { features, lanes: wholeNumber('--lanes', lanes, { from: 1, to: 16 }), places, wrong };
}
