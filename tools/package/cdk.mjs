import 'middy-idempotency/cdk';
import synthesise from './cdk.cjs';

synthesise('import');
