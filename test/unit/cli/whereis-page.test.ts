import { whereIsPage } from '#shared/cli/whereis-page.ts'
import type { FoundRow, Judgement, Whereabouts } from '#shared/cli/whereis.ts'

const POSITION = { topic: 't', partition: 2, offset: 1500 }
const LOG = { pipeline: 'p', generation: 1, cluster: 'c\u001b[31m', epoch: 3 }

const row = (index: number, more: Readonly<Record<string, unknown>> = {}): FoundRow => ({
  table: 'seen',
  file: 'tables/seen/data/a.parquet',
  row: { name: 'x', note: null, _index: index, ...more },
})
const deadLetter: FoundRow = {
  table: 'seen_dead_letters',
  file: 'tables/seen_dead_letters/data/b.parquet',
  row: { stage: 'contract', code: 'EVENT_INVALID', field: 'a.b', message: 'expected\na number' },
}
const judged = (
  verdict: Judgement['verdict'],
  rows: readonly FoundRow[],
  by: Judgement['by'] = 'commit',
): Judgement => {
  return { verdict, by, entry: `log/${by}`, start: 1000, end: by === 'commit' ? 1999 : 1000, rows }
}
const found = (status: Whereabouts['status'], history: readonly Judgement[]): Whereabouts => ({
  log: LOG,
  status,
  commit: status === 'not landed yet' ? null : { key: 'log/commit', start: 1000, end: 1999 },
  newestOffset: 1999,
  history,
})
const page = (...all: Whereabouts[]): string[] => whereIsPage(POSITION, all).split('\n')

const HEAD = ['t-2@1500', '', 'pipeline   p, generation 1', 'cluster    c\\x1b[31m, epoch 3']

test('a row, column by column', () => {
  expect(page(found('row', [judged('row', [row(0)])]))).toEqual([
    ...HEAD,
    'status     a row in seen',
    'commit     offsets 1,000…1,999',
    '           log/commit',
    'data file  tables/seen/data/a.parquet',
    '',
    '  column  value',
    '  ──────  ─────',
    '  name    x',
    '  note    –',
    '  _index  0',
  ])
})

test('several rows side by side, long values cut, and no more than fit', () => {
  const rows = Array.from({ length: 1007 }, (_, i) => row(i, { name: 'y'.repeat(100) }))
  const lines = page(found('row', [judged('row', rows)]))
  expect(lines).toContain('status     1,007 rows in seen')
  expect(lines.filter((line) => line.startsWith('data file'))).toHaveLength(1)
  const head = lines.findIndex((line) => line.startsWith('  column'))
  expect(lines[head]?.trim().split(/ {2,}/)).toEqual(['column', 'row 0', 'row 1', 'row 2', 'row 3', 'row 4'])
  expect(lines[head + 2]?.trim().split(/ {2,}/)).toEqual([
    'name',
    ...Array.from({ length: 5 }, () => `${'y'.repeat(59)}…`),
  ])
  expect(lines.at(-1)).toBe('  … and 1,002 more rows; --json prints all')
})

test('a dead letter: why, and how to see its bytes', () => {
  expect(page(found('dead letter', [judged('dead letter', [deadLetter])]))).toEqual([
    ...HEAD,
    'status     dead letter in seen_dead_letters',
    'reason     contract EVENT_INVALID at a.b',
    '           expected\\x0aa number',
    'commit     offsets 1,000…1,999',
    '           log/commit',
    'data file  tables/seen_dead_letters/data/b.parquet',
    'its bytes  dead-letters show --topic t --partition 2 --offset 1500',
  ])
})

test('what was said at first, and what is said now', () => {
  const history = [judged('dead letter', [deadLetter]), judged('skipped', [], 'amendment')]
  const lines = page(found('skipped', history))
  expect(lines.filter((line) => /^(at first|status|amendment)/.test(line))).toEqual([
    'at first   dead letter in seen_dead_letters',
    'status     skipped: the transform returned null, or the value is a tombstone',
    'amendment  offset 1,000',
  ])
})

test('a gap, and what has not landed', () => {
  expect(page(found('gap', []))).toEqual([
    ...HEAD,
    'status     gap: within a commit, but no delivery has brought it',
    '           It was compacted away, filtered, or is a transaction marker; or its batch waits elsewhere.',
    'commit     offsets 1,000…1,999',
    '           log/commit',
  ])
  expect(page(found('not landed yet', []))).toEqual([
    ...HEAD,
    'status     not landed yet',
    'newest     the log reaches to offset 1,999',
  ])
})

test('a paragraph for each log', () => {
  const lines = page(found('gap', []), { ...found('not landed yet', []), newestOffset: -1 })
  expect(lines.filter((line) => line.startsWith('pipeline'))).toHaveLength(2)
  expect(lines.at(-1)).toBe('newest     no commit yet')
})
