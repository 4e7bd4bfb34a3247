import { positionOf } from '#shared/pipeline/record.ts'
import { printable, shortened } from './printable.ts'
import { formatCount } from './progress.ts'
import { textTable } from './text-table.ts'
import type { FoundRow, Judgement, Position, Whereabouts } from './whereis.ts'

/** Rows of one record that are shown. */
const MAX_ROWS = 5
const MAX_VALUE = 60

/** What became of a record, as a page for people: a paragraph for each log, with the rows themselves. */
export function whereIsPage(position: Position, found: readonly Whereabouts[]): string {
  return [printable(positionOf(position)), ...found.map((whereabouts) => paragraph(position, whereabouts))].join('\n\n')
}

function paragraph(position: Position, { log, status, commit, newestOffset, history }: Whereabouts): string {
  const { pipeline, cluster, generation, epoch } = log
  const lines = [
    line('pipeline', `${pipeline}, generation ${generation}`),
    line('cluster', `${printable(cluster)}, epoch ${epoch}`),
  ]
  if (status === 'not landed yet')
    lines.push(
      line('status', 'not landed yet'),
      line('newest', newestOffset < 0 ? 'no commit yet' : `the log reaches to offset ${formatCount(newestOffset)}`),
    )
  if (status === 'epoch ended')
    lines.push(
      line('status', 'not in this epoch: it ended before the offset was reached'),
      line('newest', newestOffset < 0 ? 'no commit' : `the log ends at offset ${formatCount(newestOffset)}`),
    )
  if (status === 'gap' && commit !== null)
    lines.push(
      line('status', 'gap: within a commit, but no delivery has brought it'),
      line('', 'It was compacted away, filtered, or is a transaction marker; or its batch waits elsewhere.'),
      line('commit', range(commit)),
      line('', printable(commit.key)),
    )
  for (const [i, judgement] of history.entries()) {
    if (i > 0) lines.push('')
    lines.push(...judgementLines(position, judgement, i === history.length - 1 ? 'status' : 'at first'))
  }
  return lines.join('\n')
}

function judgementLines(
  position: Position,
  { verdict, by, entry, rows, ...offsets }: Judgement,
  label: string,
): string[] {
  const lines = [line(label, statusText(verdict, rows))]
  if (verdict === 'dead letter') lines.push(...reasonLines(rows))
  lines.push(line(by, range(offsets)), line('', printable(entry)))
  for (const file of new Set(rows.map((row) => row.file))) lines.push(line('data file', printable(file)))
  if (verdict === 'row') lines.push('', ...indented(rowsTable(rows)))
  if (verdict === 'dead letter') lines.push(line('its bytes', showCall(position)))
  return lines
}

function statusText(verdict: Judgement['verdict'], rows: readonly FoundRow[]): string {
  const [first] = rows
  if (first === undefined) return 'skipped: the transform returned null, or the value is a tombstone'
  if (verdict === 'dead letter') return `dead letter in ${printable(first.table)}`
  return `${rows.length === 1 ? 'a row' : `${formatCount(rows.length)} rows`} in ${printable(first.table)}`
}

function reasonLines([deadLetter]: readonly FoundRow[]): string[] {
  const { stage, code, field, message } = deadLetter?.row ?? {}
  const at = field === null ? '' : ` at ${String(field)}`
  return [line('reason', printable(`${String(stage)} ${String(code)}${at}`)), line('', printable(String(message)))]
}

function showCall({ topic, partition, offset }: Position): string {
  return `dead-letters show --topic ${printable(topic)} --partition ${partition} --offset ${offset}`
}

/** A line for each column, with the values of every row side by side. */
function rowsTable(rows: readonly FoundRow[]): string {
  const shown = rows.slice(0, MAX_ROWS).map(({ row }) => row)
  const columns = Object.keys(shown[0] ?? {})
  const head = shown.map((row) => (rows.length === 1 ? 'value' : `row ${String(row['_index'])}`))
  const table = textTable(
    ['column', ...head],
    columns.map((column) => [column, ...shown.map((row) => valueText(row[column]))]),
  )
  const more = rows.length - shown.length
  return more === 0 ? table : `${table}\n… and ${formatCount(more)} more rows; --json prints all`
}

function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return shortened(typeof value === 'string' ? value : JSON.stringify(value), MAX_VALUE)
}

function range({ start, end }: { readonly start: number; readonly end: number }): string {
  return start === end ? `offset ${formatCount(start)}` : `offsets ${formatCount(start)}…${formatCount(end)}`
}

function line(label: string, text: string): string {
  return `${label.padEnd(11)}${text}`
}

function indented(text: string): string[] {
  return text.split('\n').map((each) => `  ${each}`)
}
