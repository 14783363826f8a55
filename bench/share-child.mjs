// A fresh process, as Lambda starts one: imports the bundle, and then calls its handler as often as it is told.
const [, , bundle, event] = process.argv;
const { handler } = await import(bundle);
const context = { functionName: 'place-order', awsRequestId: '1', getRemainingTimeInMillis: () => 30_000 };
const millisOf = ({ user, system }) => (user + system) / 1000;
process.on('message', async (calls) => {
  const [cpu, startedAt] = [process.cpuUsage(), performance.now()];
  for (let call = 0; call < calls; call++) {
    const { statusCode } = await handler(JSON.parse(event), context);
    if (statusCode !== 201) throw new Error('no answer');
  }
  process.send({ millis: (performance.now() - startedAt) / calls, cpu: millisOf(process.cpuUsage(cpu)) / calls });
});
process.on('disconnect', () => process.exit());
process.send('imported');
