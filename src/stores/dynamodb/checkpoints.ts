import type { Checkpoints } from '../../core/record.ts';
import type { AttributeNames } from './options.ts';

export type MarshalledMap = Readonly<Record<string, { readonly S?: string | undefined }>>;

/** A `Map`, because the SDK takes an object with a member `constructor` for an instance of a class. */
export function checkpointsAttribute(checkpoints: Checkpoints | undefined, names: AttributeNames) {
  return checkpoints === undefined ? undefined : { [names.checkpoints]: new Map(Object.entries(checkpoints)) };
}

export function checkpointsOf(value: unknown): Checkpoints | undefined | 'invalid' {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) return 'invalid';
  const isText = Object.values(value).every((text) => typeof text === 'string');
  return isText ? (value as Checkpoints) : 'invalid';
}

export function plainMap(map: MarshalledMap): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(map).map(([name, { S }]) => [name, S]));
}
