import type { SitePage } from './page.ts';

/** The index as a front page: its first sentences are the tagline. */
export function frontPage({ data, body }: SitePage, _base: string): SitePage {
  return { data: { ...data, title: 'middy-idempotency' }, body };
}
