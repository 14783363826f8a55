import pg from 'pg';

/** Connections of one function. A request that hangs must not use up the invocation. `config`: what is different. */
export function postgresPool(connectionString: string, config: pg.PoolConfig = {}): pg.Pool {
  const limits = { max: 2, connectionTimeoutMillis: 3000, statement_timeout: 3000, query_timeout: 4000 };
  const pool = new pg.Pool({ connectionString, ...limits, ...config });
  // An idle connection has broken: the next query opens another one. Without a listener, the process would end.
  pool.on('error', ignore);
  return pool;
}

/** All that `work` writes is there, or nothing. @throws what `work` throws */
export async function inTransaction<T>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const tx = await pool.connect();
  let isUsable = true;
  tx.on('error', ignore);
  try {
    await tx.query('BEGIN');
    const result = await work(tx);
    await tx.query('COMMIT');
    return result;
  } catch (error) {
    // At once: others may wait for its locks, or skip them. If it gets no answer, the connection is closed.
    await tx.query('ROLLBACK').catch(() => {
      isUsable = false;
    });
    throw error;
  } finally {
    tx.off('error', ignore);
    tx.release(!isUsable);
  }
}

const ignore = () => undefined;
