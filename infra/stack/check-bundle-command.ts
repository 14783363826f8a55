/**
 * The line that looks at a bundle, for the shell that the bundling runs in (bash, or cmd on Windows). The folders may have any
 * name: a space or a `$` in it means nothing to the shell.
 */
export function checkBundleCommand(
  inputDir: string,
  outputDir: string,
  functionName: string,
  packages: readonly string[],
): string {
  const script = quoted(`${inputDir}/infra/stack/check-bundle.ts`);
  return ['node', script, quoted(outputDir), functionName, ...packages].join(' ');
}

function quoted(path: string): string {
  return process.platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`;
}
