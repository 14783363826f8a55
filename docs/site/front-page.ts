import type { SitePage } from './page.ts';

/** The index as a front page: its first paragraph and its first links stand beside the title. */
export function frontPage({ data, body }: SitePage): SitePage {
  const [tagline = '', links = '', ...rest] = body.split('\n\n');
  const actions = [...links.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, text, link], index) => ({
    text,
    link,
    variant: index === 0 ? 'primary' : 'secondary',
  }));
  const hero = {
    title: data.title,
    tagline: tagline.replaceAll(/[`\n]/g, (sign) => (sign === '\n' ? ' ' : '')),
    actions,
  };
  return { data: { ...data, template: 'splash', hero }, body: rest.join('\n\n') };
}
