/** What a person does here is what a client does: requests to the API, and a look at what has become of them. */

/** The key is in the payment, too, so that it is found among the others. */
const bodyFor = (key) => JSON.stringify({ amount: 1999, currency: 'EUR', source: 'tok_visa', metadata: { key } });
/** Of every list. */
const NEWEST = 5;
/** A lease counts as over this long after its end, for clocks that differ. */
const SKEW_MILLIS = 1000;
const TICK_MILLIS = 250;

const element = (id) => document.getElementById(id);

/** An element with attributes, and with texts and elements in it. */
function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Of the payment that the buttons are about. A new key begins a new one. */
let current = { key: '', requests: 0, chargesBefore: [], wasKilled: false };
let state = { charges: [], payments: [], entries: [] };
let source;

/** Takes a new key, and looks at its record from now on. */
function begin() {
  const key = `page-${crypto.randomUUID().slice(0, 8)}`;
  current = { key, requests: 0, chargesBefore: state.charges.map(({ id }) => id), wasKilled: false };
  state.record = undefined;
  element('key').textContent = key;
  element('retry').disabled = false;
  watch();
  show();
}

function watch() {
  source?.close();
  source = new EventSource(`/page/state${current.key && `?key=${current.key}`}`);
  source.onmessage = ({ data }) => {
    state = JSON.parse(data);
    show();
  };
  source.onerror = () => say('The runner does not answer. Is `npm start` still running?');
}

const say = (text) => {
  element('said').textContent = text;
};

async function send(label, headers = {}) {
  current.requests++;
  show();
  const startedAt = performance.now();
  const response = await fetch('/payments', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': current.key, ...headers },
    body: bodyFor(current.key),
  });
  const body = await response.text();
  const answer = {
    label,
    body,
    status: response.status,
    isReplayed: response.headers.get('idempotent-replayed') === 'true',
    retryAfter: response.headers.get('retry-after'),
    millis: Math.round(performance.now() - startedAt),
  };
  note(answer);
  return answer;
}

/** What an answer means, for its line. */
function meaningOf({ status, isReplayed }) {
  if (status === 201 && isReplayed) return ['good', 'replayed from the record: the function did not run'];
  if (status === 201) return ['good', current.wasKilled ? 'took over, and executed' : 'executed'];
  if (status === 409) return ['warn', 'refused: another execution has the lease'];
  if (status >= 500) return ['bad', 'no answer from the function: its process is dead'];
  return ['warn', 'refused'];
}

function note({ label, status, isReplayed, retryAfter, millis, body }) {
  const [tone, meaning] = meaningOf({ status, isReplayed });
  const head = [`${status}`, isReplayed && 'Idempotent-Replayed: true', retryAfter && `Retry-After: ${retryAfter}`];
  const line = make(
    'summary',
    {},
    make('span', { class: `status ${tone}` }, `${status}`),
    `${label}: ${meaning} `,
    make('small', {}, `${millis}\u00a0ms`),
  );
  const answer = make('pre', {}, `HTTP ${head.filter(Boolean).join('\n')}\n\n${pretty(body)}`);
  element('answers').prepend(make('li', {}, make('details', {}, line, answer)));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

function meaningOfRetry({ status, isReplayed }) {
  if (isReplayed)
    return '201, the same bytes as before, out of the record. The function did not run. Nothing was charged.';
  if (status === 409 && current.wasKilled)
    return '409: the dead function still has its lease. No other execution starts before the lease ends. Then retry.';
  if (status === 409) return '409: the first request is still running.';
  if (status === 201 && current.wasKilled)
    return '201: the lease was over, so the retry took over. It asked the processor with the same key, and got the first charge.';
  return `${status}: executed.`;
}

const ACTIONS = {
  async pay() {
    begin();
    say('The request is on its way.');
    await send('Pay');
    say(
      '201: the card was charged, and the answer is stored in the record. Imagine that it never arrived: press Retry.',
    );
  },
  async retry() {
    say(meaningOfRetry(await send('Retry')));
  },
  async twice() {
    begin();
    say('Two requests are on their way.');
    const answers = await Promise.all([send('First of two'), send('Second of two')]);
    const statuses = answers.map(({ status }) => status).sort();
    say(
      `${statuses.join(' and ')}: one request got the lease and was charged. The other one was refused, and changed nothing.`,
    );
  },
  async kill() {
    begin();
    current.wasKilled = true;
    say('The function starts in a process of its own. It charges the card, and is killed.');
    await send('Pay, killed', { 'local-kill': 'after-charge' });
    say(
      '500: the card is charged, and the function died before it could say so. The client knows nothing. Press Retry.',
    );
  },
};

for (const [id, act] of Object.entries(ACTIONS)) {
  element(id).addEventListener('click', () => act().catch(({ message }) => say(`The request failed: ${message}`)));
}

const money = (amount, currency = 'EUR') => `${currency} ${(amount / 100).toFixed(2)}`;

function show() {
  const { charges, payments, entries } = state;
  const isBooked = ({ id }) => entries.some(({ payment }) => payment === id);
  const own = payments.filter(({ metadata }) => metadata.key === current.key);
  element('requests').textContent = current.requests;
  element('charges').textContent = charges.filter(isOwnCharge).length;
  element('payments').textContent = own.length;
  element('booked').textContent = own.filter(isBooked).length;
  element('sum').textContent = (entries.reduce((sum, { amount }) => sum + amount, 0) / 100).toFixed(2);
  rows(
    'all-charges',
    charges.map(({ id, amount, currency, asked }) => [id ?? 'being made', money(amount, currency), times(asked)]),
  );
  rows(
    'all-payments',
    payments.map((one) => [one.id, money(one.amount, one.currency), isBooked(one) ? 'booked' : 'not yet']),
  );
  showRecord();
}

/** A charge without a payment is of this key if it is new: its function was killed, or is running. */
function isOwnCharge({ id }) {
  if (id === undefined || current.key === '') return false;
  const payment = state.payments.find(({ chargeId }) => chargeId === id);
  return payment === undefined ? !current.chargesBefore.includes(id) : payment.metadata.key === current.key;
}

const times = (count) => (count === 1 ? 'once' : `${count} times, with one key`);

/** The newest first. */
function rows(id, lines) {
  const cells = ([name, ...others]) => [
    make('td', {}, make('code', { title: name }, short(name))),
    ...others.map(cell),
  ];
  element(id).replaceChildren(
    ...lines
      .slice(-NEWEST)
      .toReversed()
      .map((line) => make('tr', {}, ...cells(line))),
  );
}

const cell = (text) => make('td', {}, text);
const short = (name) => (name.length > 14 ? `${name.slice(0, 12)}…` : name);

function showRecord() {
  const { record } = state;
  element('lease').textContent = isRunning() ? `The function holds the lease${remarkOnLease(leaseOf(record))}.` : '';
  const place = element('record');
  if (record === undefined) {
    place.replaceChildren(make('p', { class: 'none' }, 'None. A request claims one before the function runs.'));
    return;
  }
  const { outcome, status, attempt, owner, ...others } = record;
  const shown = Object.entries({ status, attempt, owner, ...others }).filter(([, value]) => value !== null);
  const lines = shown.flatMap(([name, value]) => [
    make('dt', {}, name),
    make('dd', { id: `record-${name}`, class: toneOf(name, value) }, `${value}${remarkOn(name, value)}`),
  ]);
  const wasOpen = place.querySelector('details')?.open === true;
  const stored = make('details', {}, make('summary', {}, 'outcome'), make('pre', {}, pretty(String(outcome))));
  stored.open = wasOpen;
  place.replaceChildren(make('dl', { class: 'record' }, ...lines), ...(outcome ? [stored] : []));
}

function toneOf(name, value) {
  if (name !== 'status') return '';
  return value === 'COMPLETED' ? 'good' : 'warn';
}

function remarkOn(name, value) {
  if (name === 'expiration') return ` (${new Date(value * 1000).toLocaleString()})`;
  return value === leaseOf(state.record) && isRunning() ? remarkOnLease(value) : '';
}

const isRunning = () => state.record?.status === 'IN_PROGRESS';
/** The attribute of DynamoDB, or the column of PostgreSQL. */
const leaseOf = ({ leaseUntil, lease_until }) => leaseUntil ?? lease_until;

function remarkOnLease(until) {
  const left = Math.ceil((until + SKEW_MILLIS - Date.now()) / 1000);
  return left > 0 ? ` (a retry may take over in ${left} s)` : ' (over: a retry may take over)';
}

setInterval(() => {
  if (isRunning()) showRecord();
}, TICK_MILLIS);

/** Nobody looks, so nothing is asked for. */
document.addEventListener('visibilitychange', () => (document.hidden ? source?.close() : watch()));

async function showLines() {
  const lines = await (await fetch('/page/lines')).json();
  element('lines').replaceChildren(
    ...lines.map(({ title, command }) => {
      const copy = make('button', { type: 'button', class: 'copy', 'aria-label': `Copy: ${title}` }, 'Copy');
      copy.addEventListener('click', async () => {
        await navigator.clipboard.writeText(command);
        copy.textContent = 'Copied';
      });
      return make('li', {}, make('div', {}, make('span', {}, title), copy), make('pre', {}, command));
    }),
  );
}

watch();
await showLines();
