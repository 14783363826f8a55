-- What each function needs, and nothing else. Each has a role of its own.

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO payments_function, ledger_function;

GRANT SELECT, INSERT, UPDATE ON payments, refunds TO payments_function;
GRANT INSERT ON outbox TO payments_function;

GRANT SELECT, UPDATE, DELETE ON outbox TO publisher_function; -- UPDATE is for its locks

GRANT INSERT ON ledger TO ledger_function;
