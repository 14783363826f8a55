-- The example's own tables. `npx middy-idempotency schema postgres` prints the one of the records.

CREATE TABLE IF NOT EXISTS payments (
  id uuid PRIMARY KEY,
  status text NOT NULL CHECK (status IN ('authorized', 'succeeded', 'voiding', 'voided')),
  amount integer NOT NULL CHECK (amount > 0), -- in the currency's minor unit
  amount_refunded integer NOT NULL CHECK (amount_refunded BETWEEN 0 AND amount),
  currency text NOT NULL,
  source text NOT NULL,
  notes json NOT NULL, -- description and metadata; jsonb would refuse \u0000
  charge_id text NOT NULL,
  created_at text NOT NULL, -- ISO 8601, as the processor has written it
  request_digest text NOT NULL,
  version integer NOT NULL,
  written_by text NOT NULL
);

-- Without paid_out_at, a refund is still to be finished.
CREATE TABLE IF NOT EXISTS refunds (
  payment uuid NOT NULL REFERENCES payments,
  id uuid NOT NULL,
  amount integer NOT NULL CHECK (amount > 0),
  created_at text NOT NULL,
  request_digest text NOT NULL,
  paid_out_at text,
  PRIMARY KEY (payment, id)
);

-- Events that are still to be published.
CREATE TABLE IF NOT EXISTS outbox (
  position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  id uuid PRIMARY KEY,
  event text NOT NULL
);

-- Entries are never changed, nor removed.
CREATE TABLE IF NOT EXISTS ledger (
  account text NOT NULL CHECK (account IN ('receivable', 'sales')),
  entry uuid NOT NULL, -- the event that it books
  amount integer NOT NULL,
  currency text NOT NULL,
  type text NOT NULL,
  payment uuid NOT NULL,
  occurred_at text NOT NULL,
  PRIMARY KEY (account, entry)
);
