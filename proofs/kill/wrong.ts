import { asFunction, type Guarded, inMiddy, onlyCharge, type Surroundings } from './guarding.ts';

/** Guards that are wrong on purpose, to show that the kills find it. */

/** The effect is before the completion instead of within its transaction. */
export function effectOutsideTransaction(s: Surroundings): Guarded {
  return inMiddy(s, async (_, { complete }) => {
    const response = { statusCode: 201, body: JSON.stringify(await s.world.happen('deposit')) };
    await complete(response);
    return response;
  });
}

export function stepsNotKept(s: Surroundings): Guarded {
  return asFunction(s, async () => {
    const reservation = await s.world.happen('reserve');
    const charge = await s.world.happen('charge');
    await s.world.happen('confirm');
    return { reservation, charge };
  });
}

/** Whoever comes takes the record. */
export function unconditionalClaim(s: Surroundings): Guarded {
  const { store } = s;
  const taking: typeof store = {
    ...store,
    async insert(record) {
      const answer = await store.insert(record);
      if (answer.done || answer.existing === undefined) return answer;
      await store.replace(record, answer.existing);
      return { done: true };
    },
  };
  return asFunction({ store: taking }, onlyCharge(s));
}
