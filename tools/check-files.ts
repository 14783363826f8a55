import { reportProblems, sourceFiles } from './checked-files.ts';
import { wrongSizes } from './file-sizes.ts';

/** Fails when a file or a function of `src` is too long, or a file is too short without a reason. */
const files = sourceFiles('src');
reportProblems(`sizes of ${files.length} files`, wrongSizes(files));
