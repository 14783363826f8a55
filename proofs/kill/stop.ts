import { readSync, writeSync } from 'node:fs';
import type { Answer, Moment } from './terms.ts';

/** Of the pipe to the process that may kill this one. */
const PIPE = 4;

/** Called wherever this process may be killed. */
export type Stop = (name: string, moment: Moment, answer?: Answer) => void;

/** What a process says of the place where it stands. */
export interface Stopped {
  readonly name: string;
  readonly moment: Moment;
  /** What its caller would get now. */
  readonly answer?: Answer;
}

/** A place where this process stands still, all of it, until it is told to go on, or is killed. */
export const stopAt: Stop = (name, moment, answer) => {
  writeSync(PIPE, `${JSON.stringify({ name, moment, answer })}\n`);
  // Nothing comes any more where the other end is gone.
  if (readSync(PIPE, Buffer.alloc(1)) === 0) process.exit();
};

export const goOn: Stop = () => undefined;
