import { jsonFormat, notReplayable, type ReplayFormat } from '../core/record/outcome.ts';
import { isObject } from '../json.ts';
import { isPlainObject } from '../request-key/data.ts';

/**
 * The outcomes of a guarded function: as JSON, but what JSON would empty in silence is not replayable. The first caller gets
 * it as it was, as a stream. In Middy the response is JSON, because Lambda makes JSON of it: there `{}` is what the first
 * caller saw.
 */
export const functionFormat: ReplayFormat = {
  encode(outcome) {
    const encoded = jsonFormat.encode(outcome);
    const { stored } = encoded;
    if (outcome.kind !== 'returned' || stored.type !== 'RETURNED' || !holdsEmptied(outcome.value, stored.json)) {
      return encoded;
    }
    return { stored: notReplayable('JSON has an empty object in place of an instance or of functions'), outcome };
  },
  decode: jsonFormat.decode,
};

/** Whether JSON has `{}` for something that may have content. A text without `{}` needs no second look. */
function holdsEmptied(value: unknown, json = ''): boolean {
  if (!json.includes('{}')) return false;
  let found = false;
  try {
    JSON.stringify(value, (_name, member: unknown) => {
      found ||= isObject(member) && isEmptied(member);
      return found ? undefined : member;
    });
  } catch {
    // It became JSON a moment ago, so it changes when it is looked at.
    return true;
  }
  return found;
}

/** A Map, a Set, an Error, an instance with private fields, an object of functions. Not an object of absent members. */
function isEmptied(value: object): boolean {
  const members: unknown[] = Object.values(value);
  if (Array.isArray(value) || !members.every(isDropped)) return false;
  const mayHaveContent = !isPlainObject(value) || members.some((member) => member !== undefined);
  // JSON unwraps a boxed text, number or boolean.
  return mayHaveContent && JSON.stringify(value) === '{}';
}

function isDropped(member: unknown): boolean {
  return member === undefined || typeof member === 'function' || typeof member === 'symbol';
}
