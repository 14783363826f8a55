import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { CodecContext, OutcomeCodec } from 'middy-idempotency/dynamodb';

/** AES-256-GCM with a key of 32 bytes. The bytes of one record, or of an error, cannot be passed off as another's. */
export function aesGcm(key: Uint8Array): OutcomeCodec {
  const boundTo = ({ id, label }: CodecContext) => Buffer.from(JSON.stringify([id, label]));
  return {
    name: 'aes-256-gcm',
    encode(bytes, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(context));
      return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    },
    decode(bytes, context) {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(boundTo(context)).setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    },
  };
}
