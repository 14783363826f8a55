import { memoryStore } from 'middy-idempotency/memory';
import { describeStore } from './conformance.ts';

describeStore('memory', () => memoryStore());
