import type { SentRequest } from './requests.ts';
import type { Answer } from './terms.ts';

/** Why a call is made. */
export type Phase =
  /** What must have happened before. */
  | 'prepare'
  /** The call that is killed. */
  | 'victim'
  /** While the record is waited for by others. */
  | 'duplicate'
  /** In the last millisecond of the lease of who was killed, as others count it. */
  | 'live'
  /** When nobody holds the record, or its lease is over. */
  | 'over'
  /** When there is an outcome. */
  | 'last';

/** What happened, as it is seen from outside of the processes. */
export type Entry =
  | { readonly type: 'asked'; readonly by: string; readonly phase: Phase }
  | { readonly type: 'answered'; readonly by: string; readonly phase: Phase; readonly answer: Answer }
  | {
      readonly type: 'effect';
      readonly by: string;
      readonly effect: string;
      readonly id: string;
      readonly at: string;
      readonly key?: string;
    }
  /** Applied by DynamoDB. `late`: when its process was dead and another one had the record. */
  | {
      readonly type: 'wrote';
      readonly by: string;
      readonly request: SentRequest;
      readonly at: number;
      readonly late: boolean;
    }
  /** `freeAt`: when others may take the record over, where it was held. */
  | { readonly type: 'killed'; readonly by: string; readonly place: string; readonly freeAt?: number };

/** One kill and what followed. */
export interface Story {
  readonly feature: string;
  readonly place: string;
  readonly journal: readonly Entry[];
  /** Of effects that are in DynamoDB: how often they are there at the end. */
  readonly found: Readonly<Record<string, number>>;
}
