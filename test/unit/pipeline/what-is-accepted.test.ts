import { existsSync, readFileSync } from 'node:fs'

const PAGE = new URL('../../../shared/pipeline/what-is-accepted.md', import.meta.url)
const TESTS = new URL('../../', import.meta.url)

/** The rules of the page: rows of its tables, but for the heads. */
const rules = readFileSync(PAGE, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|') && !line.startsWith('| ---') && !line.startsWith('| what | choice'))
  .map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )

/** The tests that a rule names, each as a file and a title. */
function proofsOf(cell: string): { file: string; title: string }[] {
  return cell.split('; ').map((proof) => {
    const { file, title } = /^`(?<file>[\w/.-]+\.test\.ts)` › (?<title>.+)$/.exec(proof)?.groups ?? {}
    if (file === undefined || title === undefined) throw new Error(`not a test: ${proof}`)
    return { file, title }
  })
}

/** A title as it stands in a source: a text of its own, whatever quotes it has. */
function isTitleIn(source: string, title: string): boolean {
  return [`'${title}'`, `"${title}"`, `\`${title}\``, `'${title.replaceAll("'", "\\'")}'`].some((text) =>
    source.includes(text),
  )
}

test('the page has rules', () => {
  expect(rules.length).toBeGreaterThan(50)
})

test.each(rules)('%s', (...cells) => {
  expect(cells).toHaveLength(3)
  for (const { file, title } of proofsOf(cells[2] ?? '')) {
    expect([file, existsSync(new URL(file, TESTS))]).toEqual([file, true])
    const sources = sourcesOf(new URL(file, TESTS))
    expect([title, sources.some((source) => isTitleIn(source, title) || isKeyIn(source, title))]).toEqual([title, true])
  }
})

/** A test file and the tables that lie beside it. */
function sourcesOf(file: URL): string[] {
  const source = readFileSync(file, 'utf8')
  const beside = [...source.matchAll(/ from '(\.\/[\w-]+\.ts)'/g)].map(([, name = '']) => new URL(name, file))
  return [source, ...beside.map((url) => readFileSync(url, 'utf8'))]
}

/** A title that is the key of a table of cases. */
function isKeyIn(source: string, title: string): boolean {
  return source.split('\n').some((line) => line.trimStart().startsWith(`${title}: `))
}

test('a test that is not there is missed', () => {
  const source = "test('a', () => {}); test.each([['b c', 1]])('%s', () => {})"
  expect(['a', 'b c', '%s'].map((title) => isTitleIn(source, title))).toEqual([true, true, true])
  expect(['b', 'c', 'a b'].map((title) => isTitleIn(source, title) || isKeyIn(source, title))).toEqual([
    false,
    false,
    false,
  ])
  expect(() => proofsOf('unit/a.test.ts › a')).toThrow('not a test')
})
