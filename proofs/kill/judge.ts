import type { Feature } from './features.ts';
import type { Entry, Story } from './story.ts';

type Of<Type extends Entry['type']> = Extract<Entry, { type: Type }>;

/** What a story comes to. */
export interface Judgement {
  /** How often each effect is there. */
  readonly times: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly retries: number;
  readonly effects: number;
  /** Effects beyond the first: nobody can know that they had happened. */
  readonly repeated: number;
  readonly replays: number;
  readonly broken: readonly string[];
}

/** Knows the promises and what is seen from outside, and nothing of the code. */
export function judge(feature: Feature, { place, journal, found }: Story): Judgement {
  const of = <Type extends Entry['type']>(type: Type) =>
    journal.filter((entry): entry is Of<Type> => entry.type === type);
  const answered = of('answered').filter(({ phase }) => phase !== 'prepare' || feature.name === 'replay');
  const retries = answered.filter(({ phase }) => !['victim', 'prepare'].includes(phase));
  const counts = feature.effects.map((effect) => ({ effect, times: timesOf(effect), most: mostOf(effect) }));
  const outcomes = answered.filter(({ answer }) => answer.kind === 'returned');
  const broken = [
    ...(of('killed').some((entry) => entry.place === place) ? [] : ['the place was not reached']),
    ...liveLease(),
    ...progress(),
    ...sameAnswer(),
    ...counts.flatMap(({ effect, times, most }) => {
      if (times > most) return `${effect} happened ${times} times, at most ${most} allowed`;
      return times === 0 && !feature.atMostOnce?.includes(effect) ? `${effect} never happened` : [];
    }),
    ...kept(),
    ...sameKey(),
    ...fenced(),
    ...finished(),
    ...patient(),
  ];
  return {
    times: Object.fromEntries(counts.map(({ effect, times }) => [effect, times])),
    kills: of('killed').length,
    retries: retries.length,
    effects: counts.reduce((sum, { times }) => sum + times, 0),
    repeated: counts.reduce((sum, { times }) => sum + Math.max(0, times - 1), 0),
    replays: retries.filter(({ by, answer }) => answer.kind === 'returned' && !hasDone(by)).length,
    broken: broken.map((what) => `${feature.name}, killed at "${place}": ${what}`),
  };

  function doneBy(name: string): (Of<'effect'> | Of<'wrote'>)[] {
    return [...of('effect'), ...of('wrote').filter(({ late }) => !late)].filter(({ by }) => by === name);
  }

  function hasDone(name: string): boolean {
    return doneBy(name).length > 0;
  }

  function timesOf(effect: string): number {
    const happened = of('effect').filter((one) => one.effect === effect);
    const times = feature.knowsKeys ? new Set(happened.map(({ key }) => key)).size : happened.length;
    return found[effect] ?? times;
  }

  /** Once, and once more for each process that died between the effect and the write that keeps it. */
  function mostOf(effect: string): number {
    if (feature.exactly?.includes(effect) || feature.atMostOnce?.includes(effect)) return 1;
    return 1 + of('killed').filter(({ by }) => isUnknown(by, effect)).length;
  }

  function isUnknown(by: string, effect: string): boolean {
    const happened = of('effect').filter((one) => one.by === by);
    const one = happened.find((candidate) => candidate.effect === effect);
    const wasRunning = feature.keeps !== 'each effect' || happened.at(-1) === one;
    return one !== undefined && wasRunning && !isKept(one);
  }

  function isKept(one: Of<'effect'>): boolean {
    const after = journal.slice(journal.indexOf(one)).filter((entry): entry is Of<'wrote'> => entry.type === 'wrote');
    return after.some(
      ({ by, late, request }) => by === one.by && !late && (request.completes || request.keeps.includes(one.effect)),
    );
  }

  function liveLease(): string[] {
    return retries
      .filter(({ phase }) => phase === 'live')
      .flatMap(({ by, answer }) => {
        if (hasDone(by)) return 'I1: another execution began while the lease was live';
        return answer.kind === 'refused' && answer.code === 'IN_FLIGHT' ? [] : `live lease: ${JSON.stringify(answer)}`;
      });
  }

  function progress(): string[] {
    const waited = retries.find(({ phase, answer }) => phase === 'duplicate' && answer.kind !== 'returned');
    if (waited !== undefined) return [`the duplicate waited for nothing: ${JSON.stringify(waited.answer)}`];
    const last = retries.filter(({ phase }) => phase === 'last');
    if (last.length === 0) return [`the record is stuck: ${JSON.stringify(retries.at(-1)?.answer)}`];
    return last.flatMap(({ by, answer }) => {
      if (hasDone(by)) return 'I4: executed although there was an outcome';
      return answer.kind === 'returned' ? [] : `no replay: ${JSON.stringify(answer)}`;
    });
  }

  function sameAnswer(): string[] {
    const texts = new Set(outcomes.map(({ answer }) => JSON.stringify(answer)));
    return texts.size > 1 ? [`I8: ${texts.size} different answers: ${[...texts].join(' ')}`] : [];
  }

  /** What a process was told before it died, and has kept, is what its successors are told. */
  function kept(): string[] {
    const told = JSON.stringify(outcomes.at(-1)?.answer);
    return of('effect')
      .filter((one) => of('killed').some(({ by }) => by === one.by) && isKept(one))
      .flatMap(({ effect, id }) => {
        const [other] = told.match(new RegExp(`\\b${effect}-\\d+\\b`)) ?? [id];
        return other === id ? [] : `the result of ${effect} was kept as ${id}, and is ${other}`;
      });
  }

  /** A derived key is the same on every attempt. */
  function sameKey(): string[] {
    return feature.effects.flatMap((effect) => {
      const keys = new Set(of('effect').flatMap((one) => (one.effect === effect ? (one.key ?? []) : [])));
      return keys.size > 1 ? `${effect} was asked for under ${keys.size} keys` : [];
    });
  }

  function fenced(): string[] {
    const late = of('wrote').filter((entry) => entry.late && entry.request.recordId !== undefined);
    return late.map(({ request }) => `I2: ${request.name} of the dead process was applied over its successor`);
  }

  function finished(): string[] {
    const record = of('wrote').findLast(({ request }) => request.recordId !== undefined)?.request.recordId;
    const end = journal.find(
      (entry) => entry.type === 'wrote' && entry.request.completes && entry.request.recordId === record,
    );
    if (end === undefined) return [];
    const after = journal.slice(journal.indexOf(end)).filter((entry) => 'by' in entry && entry.by !== end.by);
    const wrong = after.find(
      (entry) =>
        entry.type === 'effect' || (entry.type === 'wrote' && entry.request.recordId !== undefined && !entry.late),
    );
    return wrong === undefined ? [] : [`I4: after the outcome was stored: ${JSON.stringify(wrong)}`];
  }

  function patient(): string[] {
    const freeAt = of('killed').at(-1)?.freeAt;
    if (freeAt === undefined) return [];
    const early = of('wrote').filter(({ by, at }) => by === 'duplicate' && at < freeAt);
    return early.map(({ request, at }) => `I1: ${request.name} ${freeAt - at} ms before the lease was over`);
  }
}
