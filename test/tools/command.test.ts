import { describe, expect, it } from 'vitest';
import { UsageError } from '../../tools/arguments.ts';
import { helpOf, readSettings } from '../../tools/command.ts';
import { flag, oneOf, seed, share, someOf, text, texts, whole, wholeIfGiven } from '../../tools/options.ts';

const COMMAND = {
  name: 'test:storm',
  about: `
    Sends requests and retries.
    Then judges what has happened.`,
  options: {
    seconds: whole('How long it lasts.', { from: 5, to: 6000, or: 45 }),
    first: wholeIfGiven('The first seed.', { from: 1 }),
    seed: seed('Chooses the faults.', { below: 10 }),
    part: share('How many are lost.', { or: 0.3 }),
    only: text('Only those with this text.'),
    feature: texts('Only these features.'),
    by: oneOf('What looks for it.', ['simulation', 'exploration']),
    subject: someOf('Which subjects.', ['cpu', 'cold start']),
    list: flag('Only show them.'),
  },
  run: async () => true,
} as const;

const read = (...args: string[]) => readSettings(COMMAND, args);

describe('a command line', () => {
  it('has a default for everything', () => {
    const settings = read();
    expect(settings).toEqual({
      seconds: 45,
      first: undefined,
      seed: expect.any(Number),
      part: 0.3,
      only: '',
      feature: [],
      by: 'simulation',
      subject: ['cpu', 'cold start'],
      list: false,
    });
    expect(settings?.seed).toBeLessThan(10);
  });

  it('is read', () => {
    const args = ['--seconds', '5', '--first', '7', '--seed', '3', '--part', '1', '--only', 'a', '--feature', 'b'];
    expect(read(...args, '--feature', 'c', '--by', 'exploration', '--subject', 'cold start', '--list')).toEqual({
      ...{ seconds: 5, first: 7, seed: 3, part: 1, only: 'a', feature: ['b', 'c'] },
      ...{ by: 'exploration', subject: ['cold start'], list: true },
    });
  });

  it.each(['-h', '--help'])('may ask for help: %s', (help) => {
    expect(read('--seconds', 'many', help)).toBeUndefined();
  });

  it.each([
    [['--seconds', '4'], "--seconds must be a whole number from 5 to 6000, not '4'"],
    [['--seconds', '5.5'], "--seconds must be a whole number from 5 to 6000, not '5.5'"],
    [['--first', '0'], `--first must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}, not '0'`],
    [['--seed', '10'], "--seed must be a whole number from 0 to 9, not '10'"],
    [['--part', '1.1'], "--part must be a number from 0 to 1, not '1.1'"],
    [['--by', 'chance'], "--by must be one of simulation, exploration, not 'chance'"],
    [['--subject', 'heat'], "--subject must be one of cpu, cold start, not 'heat'"],
    [['--nothing'], "Unknown option '--nothing'"],
    [['file'], "Unexpected argument 'file'"],
  ])('that is wrong is refused: %j', (args, message) => {
    expect(() => read(...args)).toThrow(UsageError);
    expect(() => read(...args)).toThrow(message);
  });
});

describe('the help of a command', () => {
  it('says what it does and how each option is given, in lines of 100 columns', () => {
    expect(helpOf({ ...COMMAND, takesEndpoint: true })).toBe(`Usage: npm run test:storm -- [options]

Sends requests and retries. Then judges what has happened.

Options:
  --seconds <number>  How long it lasts. From 5 to 6,000. Default 45.
  --first <number>    The first seed.
  --seed <number>     Chooses the faults. Default: a random one, which is printed.
  --part <number>     How many are lost. From 0 to 1. Default 0.3.
  --only <text>       Only those with this text.
  --feature <text>    Only these features. May be given again.
  --by <name>         What looks for it. One of simulation, exploration. Default simulation.
  --subject <name>    Which subjects. One of cpu, cold start. May be given again. Default: all.
  --list              Only show them.
  -h, --help          Print this.

Environment:
  DYNAMODB_ENDPOINT  A DynamoDB Local that runs already, such as http://127.0.0.1:8000. Default:
                     one is started.`);
  });
});
