/*
 * The protocol of one record id, for the model checker Spin: N requests with the same key, each on a host with a clock
 * of its own, over a table that is asked by requests which may be lost, applied without an answer, sent again, or arrive
 * when nobody waits for them any more. README.md says how to run it, and what was checked.
 *
 * Constants (-D): N requests, L lease, S tolerated skew, R retention, END the last tick of the clock, FAULTS how often the
 * network fails, EXTENSIONS how many extensions of a lease, all requests together, LOOKS how often a duplicate that waits
 * looks again. A tick is any time at all. STEPS: each handler has a step with a checkpoint. TRANSACT: it completes together with writes of its own.
 * PLANS: how many of the requests are an `idempotentTransaction`, which makes a plan and writes once, without a claim.
 * SAME_CLOCKS: no clock is ahead of another one.
 * Variants that are wrong on purpose: BREAK_OWNER, BREAK_SKEW, BREAK_SELF, BREAK_LATE, BREAK_EXTEND, BREAK_STALE,
 * BREAK_TTL, BREAK_RELEASE, BREAK_KEEP, BREAK_STEP, BREAK_VERSION, BREAK_TRANSACT, BREAK_WAIT; and of PLANS:
 * BREAK_CONDITION, BREAK_OURS, BREAK_LOOK, BREAK_LIVE, BREAK_NUMBER, BREAK_BESIDE.
 */
#ifndef N
#define N 2
#endif
#ifndef L
#define L 2
#endif
#ifndef S
#define S 1
#endif
#ifndef R
#define R 2
#endif
#ifndef END
#define END 4
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef EXTENSIONS
#define EXTENSIONS 0
#endif

#ifndef LOOKS
#define LOOKS 0
#endif
#ifndef PLANS
#define PLANS 0
#endif

#define PROBE (N + 1)
#define ANY 255

mtype = { ABSENT, IN_PROGRESS, COMPLETED, RELEASED };
mtype = { NOTHING, INSERT, REPLACE, REMOVE };
mtype = { DONE, CONFLICT, NONE };
mtype = { PENDING, EXECUTED, REPLAYED, REFUSED, FAILED, CRASHED };

/* `step`: the checkpoint of the one step that a handler has. */
typedef Record { mtype status; byte owner; byte attempt; byte lease; byte expiry; bit step }
/* `lease` ANY: whatever the lease is. */
/* `data`: writes of the caller's own, in one transaction with the record. */
typedef Request { mtype verb; byte owner; mtype status; byte lease; bit step; bit data; Record record }

Record table;
byte now = 0;          /* true time */
byte offset[N + 2];    /* what a host's clock shows, less true time */
byte faults = FAULTS;
byte extensions = EXTENSIONS;
Request stray[N + 2];  /* a copy that its sender has given up, still on its way */

/* What a witness knows. Index 0 is nobody. */
bool started[N + 2];
bool released[N + 2];  /* its release took effect */
bool kept[N + 2];      /* its outcome took effect */
byte keptUntil[N + 2];
byte leaseOf[N + 2];   /* its lease as it was told, on its own clock */
mtype ended[N + 2];
byte written = 0;        /* how often the caller's data were written for an outcome that is still kept */
byte maxAttempt = 0;   /* of those that have started, since the record was last gone */

#define clock(i) (now + offset[i])
#define isLive(i) (now + offset[i] < leaseOf[i])

/* I2, and the table's part of I1 and I4: whoever writes over what another one wrote must have the right to. */
inline mayWrite(writer, q) {
  if
  :: table.status != ABSENT && table.owner != writer ->
    assert(!(table.status == IN_PROGRESS && now + offset[table.owner] < table.lease)); /* I1: a live lease */
    assert(!(table.status == COMPLETED && now + S < table.expiry));                    /* I4: within its retention */
    assert(q.verb != REMOVE);                                                          /* I2 */
    assert(q.record.status == IN_PROGRESS || (q.record.status == COMPLETED && table.status == RELEASED) || q.data);
    assert(!q.data || q.record.attempt > table.attempt);                               /* I2: nor comes twice */
    assert(q.record.status != IN_PROGRESS || q.record.attempt >= table.attempt)        /* I2: it never shrinks */
  :: else
  fi;
  /* A checkpoint stays as long as the record is kept, until the outcome is there. */
  assert(!(table.status != ABSENT && table.step && now + S < table.expiry && q.record.status != COMPLETED) || q.record.step)
}

/* A transaction, or data that were written beside the record. */
inline writeData(i) {
  written++;
  assert(written == 1);
  started[i] = true
}

/* Whoever may execute again may write again. */
inline forgetData() {
  if :: table.status == COMPLETED -> written = 0 :: else fi
}

/* A checkpoint moves the lease on by the smallest time there is, so that the lease is the version of the record. */
#ifdef BREAK_VERSION
#define isSameVersion(r) true
#else
#define isSameVersion(r) (r.step == table.step)
#endif

inline clear() {
  table.status = ABSENT; table.owner = 0; table.attempt = 0; table.lease = 0; table.expiry = 0; table.step = 0
}

inline look() {
  seen.status = table.status; seen.owner = table.owner; seen.attempt = table.attempt;
  seen.lease = table.lease; seen.expiry = table.expiry; seen.step = table.step
}

/* The table takes a request: one atomic step. `got` is its answer, `seen` what was in the way. */
inline take(i, r) {
  if
  :: (r.verb == INSERT && table.status == ABSENT) ||
     (r.verb != INSERT && table.status == r.status && table.owner == r.owner &&
      (r.lease == ANY || (r.lease == table.lease && isSameVersion(r)))) ->
    mayWrite(i, r);
    if :: r.verb != INSERT -> forgetData() :: else fi;
    if
    :: r.verb == REMOVE -> clear()
    :: else ->
      table.status = r.record.status; table.owner = r.record.owner; table.attempt = r.record.attempt;
      table.lease = r.record.lease; table.expiry = r.record.expiry; table.step = r.record.step;
      if :: r.data -> writeData(i); if :: r.record.attempt > maxAttempt -> maxAttempt = r.record.attempt :: else fi :: else fi;
      if
      :: table.status == COMPLETED -> kept[i] = true; keptUntil[i] = table.expiry
      :: table.status == RELEASED -> released[i] = true
      :: else
      fi
    fi;
    got = DONE
  :: else -> got = CONFLICT
  fi;
  look()
}

inline copy(to, from) {
  to.verb = from.verb; to.owner = from.owner; to.status = from.status; to.lease = from.lease; to.step = from.step; to.data = from.data;
  to.record.status = from.record.status; to.record.owner = from.record.owner; to.record.attempt = from.record.attempt;
  to.record.lease = from.record.lease; to.record.expiry = from.record.expiry; to.record.step = from.record.step
}

/* Sends `request`; the SDK sends it once more when it hears nothing. Afterwards `got` is the answer, or NONE. */
inline send() {
  again = true;
  do
  :: atomic { true -> take(me, request); break }
  :: atomic { faults > 0 -> faults--; take(me, request); got = NONE };   /* applied, its answer lost */
    if :: again -> again = false :: break fi
  :: atomic { faults > 0 && stray[me].verb == NOTHING -> faults--; copy(stray[me], request); got = NONE };
    if :: again -> again = false :: break fi                             /* on its way for too long */
  :: atomic { faults > 0 -> faults--; got = NONE; break }                /* throttled, or lost for good */
  od
}

/* The record that a request writes: `due` says when it may vanish. */
inline writing(what, number, until_) {
  request.record.status = what; request.record.owner = me; request.record.attempt = number;
  request.record.lease = until_; request.record.expiry = due; request.record.step = step
}

inline expecting(what, whose, which, until_) {
  request.verb = what; request.owner = whose; request.status = which; request.lease = until_
}

#ifdef BREAK_TTL
#define EXPIRY(l) (clock(me) + R)
#else
#define EXPIRY(l) ((l) + S > clock(me) + R -> (l) + S : clock(me) + R)
#endif
#ifdef BREAK_SKEW
#define over(r) (clock(me) >= r.lease)
#else
#define over(r) (clock(me) >= r.lease + S)
#endif

/* What is no longer read must not make two states of one. */
inline forgetSeen() { seen.status = 0; seen.owner = 0; seen.attempt = 0; seen.lease = 0; seen.expiry = 0; seen.step = 0; got = 0; again = false }
inline forgetRequest(it) {
  it.verb = NOTHING; it.owner = 0; it.status = 0; it.lease = 0; it.step = 0; it.data = 0; it.record.status = 0; it.record.owner = 0;
  it.record.attempt = 0; it.record.lease = 0; it.record.expiry = 0; it.record.step = 0
}

/* Takes back what a failed claim may have written. Nobody waits for the answer. */
inline abandon() {
  atomic {
    if
    :: attempt == 1 -> expecting(REMOVE, me, IN_PROGRESS, ANY)
    :: else -> expecting(REPLACE, me, IN_PROGRESS, ANY); due = clock(me) + R; writing(RELEASED, attempt, 0)
    fi
  }
  send()
}

/* I1 and I4 at the one moment that counts: the handler begins. */
inline begin() {
#ifndef BREAK_LATE
  assert(isLive(me));
#endif
  for (other : 1 .. PROBE) {
    if
    :: other != me && started[other] ->
      /* Neither released nor stored: it runs, or has crashed, or its outcome could not be written. */
      assert(released[other] || kept[other] || !isLive(other));
      assert(!(kept[other] && now + S < keptUntil[other]))
    :: else
    fi
  }
  other = 0;
  assert(attempt > maxAttempt);
  maxAttempt = attempt;
  started[me] = true
}

/* One request from its claim to its end. */
proctype Caller(byte me) {
  Request request; Record seen; mtype got; bool again; byte attempt = 1; byte rounds = 0; byte lease; byte other;
  byte known; byte until; byte due; bit step = 0; byte looks = LOOKS;

  atomic { lease = clock(me) + L; leaseOf[me] = lease; expecting(INSERT, 0, ABSENT, ANY); due = EXPIRY(lease); writing(IN_PROGRESS, 1, lease) }
claim:
  send();
  if
  :: got == DONE -> goto won
  :: got == NONE -> abandon(); ended[me] = FAILED; goto over_
  :: got == CONFLICT
  fi;
decide:
  atomic {
    rounds++;
    if
    :: rounds > 2 -> ended[me] = REFUSED; goto over_
#ifndef BREAK_SELF
    :: rounds <= 2 && seen.owner == me && seen.status == IN_PROGRESS ->
      attempt = seen.attempt; lease = seen.lease; leaseOf[me] = lease; goto won
#endif
    :: else
    fi;
    if
    :: seen.status == ABSENT -> attempt = 1; step = 0; expecting(INSERT, 0, ABSENT, ANY)
    :: seen.status == COMPLETED && clock(me) < seen.expiry -> ended[me] = REPLAYED; goto over_
    :: seen.status == IN_PROGRESS && clock(me) < seen.expiry && !over(seen) ->
      assert(seen.owner != me); /* I3: never in flight because of itself */
      if
      :: looks > 0 -> looks--; rounds--; goto wait
#ifdef BREAK_WAIT
      :: LOOKS > 0 && looks == 0 ->
        attempt = seen.attempt + 1; step = seen.step; lease = clock(me) + L; leaseOf[me] = lease;
        expecting(REPLACE, seen.owner, IN_PROGRESS, seen.lease)
#endif
      :: else -> ended[me] = REFUSED; goto over_
      fi
    :: else ->
      attempt = seen.attempt + 1;
#ifndef BREAK_KEEP
      step = (seen.status != COMPLETED && clock(me) < seen.expiry -> seen.step : 0);
#endif
#if LOOKS > 0
      lease = clock(me) + L; leaseOf[me] = lease; /* a claim that is made now */
#endif
      request.verb = REPLACE; request.owner = seen.owner; request.status = seen.status;
      request.lease = (seen.status == IN_PROGRESS -> seen.lease : ANY); request.step = seen.step
    fi;
#ifndef BREAK_STALE
    if :: clock(me) >= lease -> ended[me] = FAILED; goto over_ :: else fi;
#endif
    due = EXPIRY(lease); writing(IN_PROGRESS, attempt, lease)
  }
  goto claim;
wait:
  atomic { look(); goto decide };

won:
#ifndef BREAK_LATE
  if :: atomic { clock(me) >= lease -> skip }; abandon(); ended[me] = FAILED; goto over_
     :: atomic { clock(me) < lease -> begin() }
  fi;
#else
  atomic { begin() };
#endif
  atomic { forgetSeen(); forgetRequest(request); rounds = 0; due = 0; lease = 0 };
  do
  :: atomic { extensions > 0 -> extensions--; known = leaseOf[me]; until = clock(me) + L };
    if
    :: until > known ->
#ifdef BREAK_EXTEND
      atomic { expecting(REPLACE, me, IN_PROGRESS, ANY); due = EXPIRY(until); writing(IN_PROGRESS, attempt, until) }
#else
      atomic { expecting(REPLACE, me, IN_PROGRESS, known); due = EXPIRY(until); writing(IN_PROGRESS, attempt, until) }
#endif
      send();
      if
      :: atomic { got == DONE -> leaseOf[me] = until }
      :: atomic { got == CONFLICT && seen.owner == me && seen.status == IN_PROGRESS -> leaseOf[me] = seen.lease }
      :: else
      fi
    :: else
    fi;
    atomic { forgetSeen(); forgetRequest(request); known = 0; until = 0; due = 0 }
  :: break
  od;
#ifdef STEPS
  if
  :: step -> skip /* an earlier attempt has done it */
  :: else ->
    atomic {
#ifndef BREAK_STEP
      if :: !isLive(me) -> ended[me] = FAILED; goto over_ :: else fi;
#endif
      /* The step is done: nobody else has done it, and kept that. */
      assert(!(table.status != ABSENT && table.step && now + S < table.expiry))
    };
    if :: ended[me] = CRASHED; goto over_ :: skip fi;
    atomic {
      step = 1; expecting(REPLACE, me, IN_PROGRESS, ANY); due = EXPIRY(leaseOf[me]);
      writing(IN_PROGRESS, attempt, leaseOf[me])
    };
    send();
    atomic {
      if
      :: got == CONFLICT && seen.owner != me -> ended[me] = FAILED; goto over_
      :: else /* what could not be written, the next write carries */
      fi;
      forgetSeen(); forgetRequest(request); due = 0
    }
  fi;
#endif
  if
  :: goto returned
  :: goto threw
  :: ended[me] = CRASHED; goto over_
  fi;

returned:
  atomic {
#ifdef BREAK_OWNER
    request.verb = REPLACE; request.owner = table.owner; request.status = table.status; request.lease = ANY;
#else
    expecting(REPLACE, me, IN_PROGRESS, ANY);
#endif
    due = clock(me) + R; writing(COMPLETED, attempt, 0);
#ifdef TRANSACT
    request.data = 1;
#endif
    rounds = 0
  }
#ifdef BREAK_TRANSACT
  atomic { writeData(me) }; /* beside the record, before it */
  if :: ended[me] = CRASHED; goto over_ :: skip fi;
#endif
store:
  send();
  atomic {
    rounds++;
    if
    :: got == DONE || (got == CONFLICT && seen.owner == me && seen.status == COMPLETED) -> skip
#ifndef TRANSACT
    :: got == CONFLICT && seen.status == ABSENT && rounds < 3 -> expecting(INSERT, 0, ABSENT, ANY); goto store
    :: got == CONFLICT && seen.status == RELEASED && seen.owner != me && rounds < 3 ->
      request.record.attempt = (seen.attempt > attempt -> seen.attempt : attempt);
      request.verb = REPLACE; request.owner = seen.owner; request.status = RELEASED; goto store
#endif
    :: got == NONE && rounds < 3 -> goto store
    :: else -> /* I4: only because the lease is over, nothing gets through, or it was stored and its retention is over */
      assert(got == NONE || !isLive(me) || kept[me])
    fi;
    ended[me] = EXECUTED
  }
  goto over_;

threw:
  atomic {
#ifdef BREAK_RELEASE
    expecting(REMOVE, me, IN_PROGRESS, ANY);
#else
    expecting(REPLACE, me, IN_PROGRESS, ANY); due = clock(me) + R; writing(RELEASED, attempt, 0)
#endif
  }
  send();
  ended[me] = EXECUTED;
over_:
  atomic { forgetSeen(); forgetRequest(request); rounds = 0; lease = 0; attempt = 0; known = 0; until = 0; due = 0; step = 0; looks = 0 }
}

/* A request without a claim: its writes, its outcome and the record are one transaction. */
proctype Transaction(byte me) {
  Request request; Record seen; mtype got; bool again; byte attempt = 1; byte rounds = 0; byte tries = 0; byte due; bit step = 0;

  /* Its plan may read, and fail where the effect is there already. */
  if
  :: atomic { written > 0 -> goto failed }
  :: expecting(INSERT, 0, ABSENT, ANY)
  fi;
store:
  atomic {
#ifdef BREAK_CONDITION
    expecting(REPLACE, table.owner, table.status, ANY);
#endif
    due = clock(me) + R; writing(COMPLETED, attempt, 0); request.data = 1
  };
#ifdef BREAK_BESIDE
  atomic { request.data = 0; writeData(me) };
#endif
again_:
  send();
  atomic {
    if
    :: got == DONE -> ended[me] = EXECUTED; goto over_
    :: got == NONE && tries < 2 -> tries++; goto again_
    :: got == NONE && tries == 2 -> ended[me] = FAILED; goto over_
#ifndef BREAK_OURS
    :: got == CONFLICT && seen.owner == me -> ended[me] = EXECUTED; goto over_ /* its answer was lost */
    :: got == CONFLICT && seen.owner != me -> rounds++
#else
    :: got == CONFLICT -> rounds++
#endif
    fi;
    if
    :: rounds > 2 -> ended[me] = REFUSED; goto over_
    :: rounds <= 2 && seen.status == ABSENT -> attempt = 1; expecting(INSERT, 0, ABSENT, ANY)
    :: rounds <= 2 && seen.status == COMPLETED && clock(me) < seen.expiry ->
      assert(seen.owner != me); /* I3: never a replay of what it has done itself */
      ended[me] = REPLAYED; goto over_
#ifndef BREAK_LIVE
    :: rounds <= 2 && seen.status == IN_PROGRESS && clock(me) < seen.expiry && !over(seen) -> ended[me] = REFUSED; goto over_
#endif
    :: else ->
#ifndef BREAK_NUMBER
      attempt = seen.attempt + 1;
#endif
      request.verb = REPLACE; request.owner = seen.owner; request.status = seen.status;
      request.lease = (seen.status == IN_PROGRESS -> seen.lease : ANY); request.step = seen.step
    fi
  };
  goto store;

failed:
  if
  :: atomic { faults > 0 -> faults--; ended[me] = FAILED }
  :: atomic {
      /* It reads the record, and what that says counts. */
      if
#ifndef BREAK_LOOK
      :: table.status == COMPLETED && clock(me) < table.expiry -> ended[me] = REPLAYED
      :: table.status == IN_PROGRESS && clock(me) < table.expiry && !over(table) -> ended[me] = REFUSED
#endif
      :: else ->
        assert(!(table.status == COMPLETED && now + S < table.expiry)); /* I4: its failure hides no outcome */
        ended[me] = FAILED
      fi
    }
  fi;
over_:
  atomic { forgetSeen(); forgetRequest(request); rounds = 0; tries = 0; attempt = 0; due = 0 }
}

/* A copy that nobody waits for arrives after all. */
proctype Network() {
  byte i; Record seen; mtype got; bool again;
end:
  do
  :: atomic { stray[1].verb != NOTHING -> i = 1; take(i, stray[i]); forgetRequest(stray[i]); forgetSeen() }
  :: atomic { stray[2].verb != NOTHING -> i = 2; take(i, stray[i]); forgetRequest(stray[i]); forgetSeen() }
#if N > 2
  :: atomic { stray[3].verb != NOTHING -> i = 3; take(i, stray[i]); forgetRequest(stray[i]); forgetSeen() }
#endif
  od
}

proctype Clock() {
end:
  do
  :: now < END -> now++
  od
}

/* The table's own clock is one within the tolerance, too. */
proctype Ttl(byte tableOffset) {
end:
  do
  :: atomic {
      table.status != ABSENT && now + tableOffset >= table.expiry ->
      assert(!(table.status == IN_PROGRESS && now + offset[table.owner] < table.lease)); /* I11 */
      forgetData(); clear(); maxAttempt = 0
    }
  od
}

#define isOver(i) (ended[i] != PENDING)
#if N > 2
#define allOver (isOver(1) && isOver(2) && isOver(3))
#else
#define allOver (isOver(1) && isOver(2))
#endif

/* When all have ended and every lease is over, one more request without faults: the key is not stuck. */
proctype Probe() {
  Request request; Record seen; mtype got; bool through;
  byte me = PROBE;
  allOver;
  atomic {
    /* Time goes on until every lease that the table may have is over. */
    now = END + 2 * L + S;
    faults = 0;
    seen.status = table.status; seen.owner = table.owner; seen.lease = table.lease; seen.expiry = table.expiry;
    through = seen.status == ABSENT || seen.status == RELEASED || clock(me) >= seen.expiry ||
      seen.status == COMPLETED || over(seen);
    assert(through);
    ended[PROBE] = EXECUTED
  }
}

init {
  byte i; byte tableOffset;
  atomic {
    table.status = ABSENT;
    for (i : 1 .. PROBE) {
      ended[i] = PENDING;
      stray[i].verb = NOTHING;
      #ifdef SAME_CLOCKS
      offset[i] = 0
#else
      if :: offset[i] = 0 :: i <= N -> offset[i] = S fi
#endif
    }
#ifndef SAME_CLOCKS
    if :: tableOffset = 0 :: tableOffset = S fi;
#endif
    for (i : 1 .. N) { if :: i <= PLANS -> run Transaction(i) :: else -> run Caller(i) fi }
    run Network(); run Clock(); run Ttl(tableOffset); run Probe()
  }
}

/* Progress: the probe gets through, whatever happens before. Needs weak fairness. */
ltl progress { <> (ended[PROBE] == EXECUTED) }
