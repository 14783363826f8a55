import { reportProblems, sourceFiles } from './checked-files.ts';
import { wrongSizes } from './file-sizes.ts';

/** Fails when a file of `src` is too long, or too short without a reason. Biome checks the length of functions. */
const files = sourceFiles('src');
reportProblems(`sizes of ${files.length} files`, wrongSizes(files));
