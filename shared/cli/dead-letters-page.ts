import process from 'node:process'
import type { Bytes, DeadLetter, DeadLetterGroup } from './dead-letters.ts'
import { printable, shortened, timeText } from './printable.ts'
import { formatBytes, formatCount } from './progress.ts'
import { textTable } from './text-table.ts'

const MAX_VALUE = 160
const WIDTH = 160

/** Groups of dead letters as a table for each table of them. */
export function groupsPage(groups: readonly DeadLetterGroup[]): string {
  if (groups.length === 0) return 'There are no dead letters.'
  const tables = [...Map.groupBy(groups, ({ table }) => table)]
  return tables.map(([table, of]) => tablePage(table, of)).join('\n\n')
}

function tablePage(table: string, groups: readonly DeadLetterGroup[]): string {
  const sum = (of: 'open' | 'resolved'): string => formatCount(groups.reduce((total, group) => total + group[of], 0))
  const head = ['open', 'resolved', 'stage', 'code', 'field', 'first', 'last', 'example']
  const cells = groups.map(({ open, resolved, stage, code, field, first, last, example }) => {
    const times = [secondText(first), secondText(last)]
    return [formatCount(open), formatCount(resolved), stage, code, field, ...times, example.position]
  })
  const messages = fitting(
    groups.map(({ example }) => example.message),
    textTable(head, cells),
  )
  const rows = cells.map((row, i) => [...row, messages[i]])
  const title = `${printable(table)}: ${sum('open')} open, ${sum('resolved')} resolved`
  return `${title}\n\n${textTable([...head, 'message'], rows)}`
}

/** Messages cut to what the terminal leaves beside a table, and never to less than says something. */
function fitting(messages: readonly string[], table: string): readonly string[] {
  const width = Math.max(...table.split('\n').map((line) => line.length))
  const room = Math.max(40, (process.stdout.columns ?? WIDTH) - width - 2)
  return messages.map((message) => shortened(message, room))
}

/** To the second: what came when is plain from it, and it leaves room. */
function secondText(milliseconds: number): string {
  return timeText(milliseconds).replace(/\.\d+Z$/, 'Z')
}

/**
 * Dead letters, a paragraph for each.
 * @param all whether resolved ones were asked for, too
 */
export function deadLettersPage(total: number, deadLetters: readonly DeadLetter[], all = false): string {
  if (total === 0)
    return all ? 'There are no such dead letters.' : 'No such dead letters are open; --all shows resolved ones, too.'
  const shown =
    total > deadLetters.length
      ? `${formatCount(deadLetters.length)} of ${formatCount(total)} dead letters, the newest first; --limit shows more`
      : `${formatCount(total)} dead ${total === 1 ? 'letter' : 'letters, the newest first'}`
  return [shown, ...deadLetters.map(paragraph)].join('\n\n')
}

function paragraph(letter: DeadLetter): string {
  const { topic, partition, offset, stage, code, field, message, key, headers, value } = letter
  return [
    `${printable(topic)}-${partition}@${offset}  ${timeText(letter.timestamp)}  ${printable(letter.table)}`,
    `  status   ${statusText(letter.resolved)}`,
    `  reason   ${printable(`${stage} ${code}${field === null ? '' : ` at ${field}`}`)}`,
    `           ${printable(message)}`,
    `  key      ${bytesLine(key, 'none')}`,
    ...headers.map(
      ({ name, value: of }, i) => `  ${i === 0 ? 'headers' : '       '}  ${printable(name)}: ${bytesLine(of, '')}`,
    ),
    `  value    ${bytesLine(value, 'none: a tombstone')}`,
  ].join('\n')
}

function statusText(resolved: DeadLetter['resolved']): string {
  if (resolved === null) return 'open'
  const { as, code, by } = resolved
  const again = code === null ? 'rejected again' : `rejected again, ${code}`
  const became = { row: 'it became a row', skipped: 'it was skipped', 'rejected again': again }[as]
  return printable(`resolved: ${became}, by ${by}`)
}

function bytesLine(bytes: Bytes | null, none: string): string {
  if (bytes === null) return none
  const raw = Buffer.from(bytes.base64, 'base64')
  if (raw.length === 0) return 'empty'
  const whole = bytes.text ?? `0x${raw.toString('hex')}`
  const shown = shortened(whole, MAX_VALUE)
  return shown.endsWith('…') && !whole.endsWith('…') ? `${shown}  (${formatBytes(raw.length)}; --json has all)` : shown
}
