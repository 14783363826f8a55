/** What stands in the theme's own colour, dark and light, needs no mark. It is half of all marks. */
const PLAIN_CODE = /<span style="--0:#e1e4e8;--1:#24292e">([^<]*)<\/span>/gi;

/** The HTML of a page, smaller, and for screen readers, keyboards and phones. */
export const mended = (html: string) =>
  html
    .replaceAll(PLAIN_CODE, '$1')
    .replaceAll(/<table>[\s\S]*?<\/table>/g, withColumns)
    // A table of Markdown always has a header: an empty one should not be read out.
    .replaceAll(/<thead>\s*<tr>\s*(?:<th>\s*<\/th>\s*)+<\/tr>\s*<\/thead>/g, '')
    .replaceAll('<th></th>', '<td></td>')
    // Code that is wide can be scrolled by keys. Expressive Code takes that from blocks that fit.
    .replaceAll('<pre data-language', '<pre tabindex="0" role="group" data-language');

/** On a phone the cells of a row stand below each other: from the second on they name their column, where it has a name. */
function withColumns(table: string): string {
  const names = [...table.matchAll(/<th>([\s\S]*?)<\/th>/g)].map(([, name = '']) => name.replaceAll(/<[^>]+>/g, ''));
  if (names.length < 3) return table;
  return table.replaceAll(/<tr>[\s\S]*?<\/tr>/g, (row) => {
    let column = -1;
    return row.replaceAll('<td>', () => {
      column += 1;
      const name = names[column] ?? '';
      return column === 0 || name === '' ? '<td>' : `<td data-column="${name.replaceAll('"', '&quot;')}">`;
    });
  });
}
