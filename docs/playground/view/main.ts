import { IdempotencyPlayground } from './playground.ts';

customElements.define('idempotency-playground', IdempotencyPlayground);
