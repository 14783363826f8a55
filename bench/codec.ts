import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { apiResponse } from '../tools/api-responses.ts';

/**
 * What compressing an outcome costs and saves, by codec and by size: `node bench/codec.ts`. Milliseconds are the
 * median of blocking calls in this thread, so that they are CPU time; the last table says what the thread pool adds.
 */
const SIZES = [500, 4_000, 20_000, 200_000, 5_000_000];

interface Candidate {
  readonly name: string;
  compress(bytes: Buffer): Buffer;
  decompress(bytes: Buffer): Buffer;
}

const brotli = (quality: number): Candidate => ({
  name: `brotli ${quality}`,
  compress: (bytes) =>
    zlib.brotliCompressSync(bytes, {
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: quality,
        [zlib.constants.BROTLI_PARAM_MODE]: zlib.constants.BROTLI_MODE_TEXT,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  decompress: (bytes) => zlib.brotliDecompressSync(bytes),
});
const deflate = (level: number): Candidate => ({
  name: `deflate ${level}`,
  compress: (bytes) => zlib.deflateRawSync(bytes, { level }),
  decompress: (bytes) => zlib.inflateRawSync(bytes),
});
const gzip = (level: number): Candidate => ({
  name: `gzip ${level}`,
  compress: (bytes) => zlib.gzipSync(bytes, { level }),
  decompress: (bytes) => zlib.gunzipSync(bytes),
});

const zstd = (level: number): Candidate => ({
  name: `zstd ${level}, checksum`,
  compress: (bytes) =>
    zlib.zstdCompressSync(bytes, {
      params: {
        [zlib.constants.ZSTD_c_compressionLevel]: level,
        [zlib.constants.ZSTD_c_checksumFlag]: 1,
      },
    }),
  decompress: (bytes) => zlib.zstdDecompressSync(bytes),
});

const CANDIDATES = [zstd(1), zstd(3), gzip(1), gzip(6), gzip(9), deflate(6), ...[1, 3, 4, 5, 6, 9].map(brotli)];
/** 17 seconds for 5 MB: measured once. */
const SLOW = brotli(11);

for (const size of SIZES) {
  const bytes = Buffer.from(JSON.stringify(apiResponse(size)));
  console.log(`\n${bytes.length} bytes of JSON`);
  console.table(
    [...CANDIDATES, ...(size > 1_000_000 ? [] : [SLOW])].map((candidate) => {
      const packed = candidate.compress(bytes);
      if (!candidate.decompress(packed).equals(bytes))
        throw new Error(`${candidate.name} does not give back what it got`);
      const times = size > 1_000_000 ? 3 : Math.min(300, Math.ceil(20_000_000 / size));
      return {
        codec: candidate.name,
        bytes: packed.length,
        ratio: (packed.length / bytes.length).toFixed(3),
        'compress ms': medianMillis(times, () => candidate.compress(bytes)).toFixed(3),
        'decompress ms': medianMillis(times, () => candidate.decompress(packed)).toFixed(3),
      };
    }),
  );
}

console.log('\nthe thread pool: milliseconds until the answer, zstd 1, one at a time');
const level1 = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1, [zlib.constants.ZSTD_c_checksumFlag]: 1 } };
const packPooled = promisify(zlib.zstdCompress) as (bytes: Buffer, options: object) => Promise<Buffer>;
const unpackPooled = promisify(zlib.zstdDecompress) as (bytes: Buffer) => Promise<Buffer>;
const rows = [];
for (const size of SIZES) {
  const bytes = Buffer.from(JSON.stringify(apiResponse(size)));
  const packed = zlib.zstdCompressSync(bytes, level1);
  const times = size > 1_000_000 ? 3 : 100;
  rows.push({
    bytes: bytes.length,
    'compress, blocking': medianMillis(times, () => zlib.zstdCompressSync(bytes, level1)).toFixed(3),
    'compress, pool': (await medianMillisOf(times, () => packPooled(bytes, level1))).toFixed(3),
    'decompress, blocking': medianMillis(times, () => zlib.zstdDecompressSync(packed)).toFixed(3),
    'decompress, pool': (await medianMillisOf(times, () => unpackPooled(packed))).toFixed(3),
  });
}
console.table(rows);

function medianMillis(times: number, run: () => unknown): number {
  return median(
    Array.from({ length: times }, () => {
      const startedAt = performance.now();
      run();
      return performance.now() - startedAt;
    }),
  );
}

async function medianMillisOf(times: number, run: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let time = 0; time < times; time++) {
    const startedAt = performance.now();
    await run();
    taken.push(performance.now() - startedAt);
  }
  return median(taken);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
