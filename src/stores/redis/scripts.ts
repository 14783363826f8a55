import { getBuiltinModule } from '../../builtins.ts';

/** A script of Lua, which Redis runs in one piece. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** The key expires so long after the record: the guard decides what is expired, and clocks differ. Milliseconds. */
const KEPT_MILLIS = 3_600_000;

/** The members that a condition compares, as texts. */
const COMPARED = `local r = redis.call('HMGET', KEYS[1], 'owner', 'status', 'leaseUntil', 'revision', 'record')

if r[1] ~= ARGV[1] or r[2] ~= ARGV[2] or (ARGV[3] ~= '' and r[3] ~= ARGV[3]) or (ARGV[4] ~= '' and r[4] ~= ARGV[4]) then
  return {0, r[5]}
end
`;

/**
 * Of a record that begins behind this number of arguments. HSET comes first: after another write, Redis would take it although its
 * memory is full. PEXPIREAT in the past would delete the key at once.
 */
const writing = (behind: number) => `local now = redis.call('TIME')
local at = math.max(tonumber(ARGV[${behind + 6}]), now[1] * 1000) + ${KEPT_MILLIS}
redis.call('HSET', KEYS[1], 'owner', ARGV[${behind + 1}], 'status', ARGV[${behind + 2}], 'leaseUntil', ARGV[${behind + 3}],
  'revision', ARGV[${behind + 4}], 'record', ARGV[${behind + 5}])
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', at))
return {1}`;

/** How many arguments a condition has. */
const CONDITION = 4;

/** One for each verb. The answer is `{1}`, or `{0, record}` with the record that was in the way, if there was one. */
export const SCRIPTS = {
  insert: script(`if redis.call('EXISTS', KEYS[1]) == 1 then
  return {0, redis.call('HGET', KEYS[1], 'record') or ''}
end
${writing(0)}`),
  replace: script(`${COMPARED}${writing(CONDITION)}`),
  remove: script(`${COMPARED}redis.call('DEL', KEYS[1])
return {1}`),
  read: script(`if redis.call('EXISTS', KEYS[1]) == 0 then
  return {0}
end
return {0, redis.call('HGET', KEYS[1], 'record') or ''}`),
} as const;

function script(lua: string): Script {
  let sha: string | undefined;
  return {
    lua,
    get sha() {
      sha ??= getBuiltinModule('node:crypto').createHash('sha1').update(lua).digest('hex');
      return sha;
    },
  };
}
