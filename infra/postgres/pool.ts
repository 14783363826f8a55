import pg from 'pg';

/** Connections of one function. A request that hangs must not use up the invocation. */
export function postgresPool(connectionString: string, max = 2): pg.Pool {
  const pool = new pg.Pool({ connectionString, max, connectionTimeoutMillis: 3000, statement_timeout: 3000 });
  // An idle connection has broken: the next query opens another one. Without a listener, the process would end.
  pool.on('error', ignore);
  return pool;
}

/** All that `work` writes is there, or nothing. @throws what `work` throws */
export async function inTransaction<T>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const tx = await pool.connect();
  let isCommitted = false;
  tx.on('error', ignore);
  try {
    await tx.query('BEGIN');
    const result = await work(tx);
    await tx.query('COMMIT');
    isCommitted = true;
    return result;
  } finally {
    tx.off('error', ignore);
    // A connection that is closed in a transaction rolls it back.
    tx.release(!isCommitted);
  }
}

const ignore = () => undefined;
