/** The mutated folders of `src`, and the tests that hold each to its promises: others would only take time. */
export const SUITES: Readonly<Record<string, readonly string[]>> = {
  core: [
    'test/core/**/*.test.ts',
    'test/integration/i*.test.ts',
    'test/integration/{cache,complete,renewal,step,waiting}.test.ts',
    'proofs/simulation/{kept-schedules,simulation}.test.ts',
  ],
  'request-key': [
    'test/request-key/**/*.test.ts',
    'test/jmespath/**/*.test.ts',
    'test/core/options.test.ts',
    'test/integration/i06-key-once.test.ts',
    'test/integration/i09-no-key.test.ts',
  ],
  jmespath: ['test/jmespath/**/*.test.ts', 'test/request-key/selection.test.ts'],
  http: [
    'test/http/{behaviour,fingerprint,identity,key-header,media-type,middy-chain,options,problem,request,response,responses,scope}.test.ts',
    'proofs/fuzz/key-header.test.ts',
  ],
};

export const FOLDERS = Object.keys(SUITES);

/** Which suite a run is about, for the processes that the mutation tester starts. */
export const SUITE_VARIABLE = 'MUTATION_SUITE';
