// A fresh process, as Lambda starts one: imports the bundle, answers one event, and says when it had done what.
const [, , bundle, event] = process.argv;
const startedAt = performance.now();
const { handler } = await import(bundle);
const imported = performance.now();
const cpuOfImport = process.cpuUsage();
const context = { functionName: 'place-order', awsRequestId: '1', getRemainingTimeInMillis: () => 30_000 };
const answer = await handler(JSON.parse(event), context);
const answered = performance.now();
const cpu = process.cpuUsage();
if (answer.statusCode !== 201) throw new Error('no answer');
const millis = ({ user, system }) => (user + system) / 1000;
process.send({
  import: imported - startedAt,
  answer: answered - startedAt,
  importCpu: millis(cpuOfImport),
  answerCpu: millis(cpu),
  residentMegabytes: process.memoryUsage().rss / 2 ** 20,
});
process.exit();
