import { reportProblems, sourceFiles } from './checked-files.ts';
import { misplacedImports } from './layers.ts';

/** Fails when a file imports what its room may not: `layers.ts` has the rooms. */
const files = sourceFiles().filter(({ path }) => path.includes('/'));
reportProblems(
  `imports of ${files.length} files`,
  files.flatMap(({ path, text }) => misplacedImports(path, text)),
);
