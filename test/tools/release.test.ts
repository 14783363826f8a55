import { expect, it } from 'vitest';
import { releaseProblems } from '../../tools/release.ts';

const CHANGELOG =
  '# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2027-01-31\n\n### Added\n\n- A thing.\n\n## 1.2.2 - 2027-01-30\n';
const manifest = { version: '1.2.3', repository: { type: 'git', url: 'git+https://example.com/a.git' } };
const release = { tag: 'v1.2.3', manifest, changelog: CHANGELOG };

it('accepts a tag that is the version, with an entry in the changelog', () => {
  expect(releaseProblems(release)).toEqual([]);
});

it.each(['v1.2.4', '1.2.3', 'v1.2.3-rc.1', ''])('refuses the tag %j for version 1.2.3', (tag) => {
  expect(releaseProblems({ ...release, tag })).toEqual([expect.stringContaining(`the tag is '${tag}'`)]);
});

it.each([
  ['no entry', '# Changelog\n\n## Unreleased\n\n- A thing.\n'],
  ['an empty entry', '## Unreleased\n\n## 1.2.3 - 2027-01-31\n\n## 1.2.2 - 2027-01-30\n\n- A thing.\n'],
  ['the entry of a longer version', '## 1.2.30 - 2027-01-31\n\n- A thing.\n'],
])('refuses a changelog with %s', (_what, changelog) => {
  expect(releaseProblems({ ...release, changelog })).toEqual([expect.stringContaining('CHANGELOG.md')]);
});

it('refuses a manifest without a repository, which provenance needs', () => {
  const problems = releaseProblems({ ...release, manifest: { version: '1.2.3' } });
  expect(problems).toEqual([expect.stringContaining('repository')]);
});
