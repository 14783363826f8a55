/**
 * Pages show files of the repository as they are. A comment in front of the code block names the file, so that the code is
 * there on the code host, too.
 */
const INCLUDED = /(<!-- file: (\S+) -->\n)(```\w*\n)[\s\S]*?^```$/gm;

/** The page with each block as its file is now. */
export function withIncludedFiles(page: string, read: (path: string) => string): string {
  return page.replaceAll(INCLUDED, (_, comment: string, path: string, fence: string) => {
    return `${comment}${fence}${read(path).trimEnd()}\n\`\`\``;
  });
}
