import '../../tools/sources.ts';
import { setClock } from './clock.ts';
import { goOn, type Stop, stopAt } from './stop.ts';
import type { Answer, Setting, ToProcess } from './terms.ts';

// Only now are the public names of the package those of its sources.
const { createCalls } = await import('./calls.ts');
const calls = createCalls(JSON.parse(process.argv[2] ?? '') as Setting);

// Whoever started this process decides about its end, and is followed when it is gone.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', async (message: ToProcess) => {
  setClock(message.clock);
  process.send?.(await answer(message));
});

async function answer(message: ToProcess): Promise<Answer> {
  if (message.type === 'resolve') {
    return { kind: 'returned', text: await calls.resolve(message.recordId, message.response) };
  }
  const { clock } = message;
  const place = message.stops ? stopAt : goOn;
  const stop: Stop = (name, moment, answered) => {
    if (clock.goes === 'when it has looked' && name === 'read' && moment === 'answered') setClock({ at: Date.now() });
    place(name, moment, answered);
  };
  const answered = await calls.make(message, stop);
  stop('answer', 'leaving', answered);
  return answered;
}
