export interface Release {
  /** As Git names it: `v1.2.3`. */
  readonly tag: string;
  readonly manifest: { readonly version: string; readonly repository?: unknown };
  readonly changelog: string;
}

/** What stands against the release of a tag: a line for each. */
export function releaseProblems({ tag, manifest, changelog }: Release): string[] {
  const { version, repository } = manifest;
  const problems: string[] = [];
  if (tag !== `v${version}`)
    problems.push(`the tag is '${tag}', and package.json has version ${version}: tag v${version}`);
  if (entryOf(version, changelog) === '') {
    problems.push(`CHANGELOG.md has nothing under '## ${version} - <date>': move there what is under 'Unreleased'`);
  }
  if (repository === undefined) {
    problems.push('package.json has no repository: npm compares it with the repository that the provenance names');
  }
  return problems;
}

/** What the changelog says of a version, without its heading. */
function entryOf(version: string, changelog: string): string {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((text) => text.startsWith(`${version} - `)) ?? '';
  return section.split('\n').slice(1).join('\n').trim();
}
