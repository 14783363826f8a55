import { wrongSizes } from './file-sizes.ts';
import { reportProblems, sourceFiles } from './sources.ts';

/** Fails when a file of `src` is too long, or too short without a reason. Biome checks the length of functions. */
const files = sourceFiles('src');
reportProblems(`sizes of ${files.length} files`, wrongSizes(files));
