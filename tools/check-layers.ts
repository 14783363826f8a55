import { misplacedImports } from './layers.ts';
import { reportProblems, sourceFiles } from './sources.ts';

/** Fails when a file imports what its room may not: `layers.ts` has the rooms. */
const files = sourceFiles().filter(({ path }) => path.includes('/'));
reportProblems(
  `imports of ${files.length} files`,
  files.flatMap(({ path, text }) => misplacedImports(path, text)),
);
