import type { RolledBackTable } from './table-rollback.ts'
import type { CommittedTable } from './table-commit.ts'
import type { LockChange } from './lock-file.ts'
import { formatBytes, formatCount } from './progress.ts'
import type { ListedFile } from './table-files-list.ts'
import type { TableHistory } from './table-history.ts'
import type { TablePlan } from './table-plan.ts'
import { textTable } from './text-table.ts'

const MAX_LISTED = 200

/** What has become, or would become, of a lock file. */
export function lockPage({ file, revision, changes, howToImport }: LockChange, isWritten: boolean): string {
  const head =
    changes.length === 0
      ? `${file} is up to date (revision ${revision}).`
      : `${file} ${isWritten ? 'is now' : 'would become'} revision ${revision}:`
  const lines = [head, ...changes.map(({ text }) => `  ${text}`)]
  if (howToImport !== null) lines.push('', 'The pipeline does not import it yet:', `  ${howToImport}`)
  else if (changes.length > 0) lines.push(isWritten ? 'Commit it with the pipeline.' : 'Nothing was touched.')
  return lines.join('\n')
}

/** What `plan` found. */
export function planPage(lock: LockChange | null, plans: readonly TablePlan[]): string {
  const lines = plans.flatMap((plan) => planLines(plan, 'would'))
  if (lock === null) return [...lines, 'Nothing was touched.'].join('\n')
  return [
    lockPage(lock, false),
    `Bring it up to date with "inlet table lock"; then this command tells what becomes of the tables.`,
  ].join('\n')
}

/** What `apply` did. */
export function applyPage(plans: readonly TablePlan[]): string {
  return plans.flatMap((plan) => planLines(plan, 'done:')).join('\n')
}

function planLines({ table, changes, refused }: TablePlan, prefix: string): string[] {
  if (refused !== null) return [`${table}: refused: ${refused}`]
  if (changes.length === 0) return [`${table}: is as it is declared, nothing to do.`]
  return [`${table}:`, ...changes.map(({ text }) => `  ${prefix} ${text}`)]
}

export function historyPage({ table, location, snapshots, pending, fault }: TableHistory, pipeline: string): string {
  const rows = snapshots
    .slice(0, MAX_LISTED)
    .map(({ time, id, operation, addedRows, addedFiles, rows: total, files, by, state }) => {
      const counts = [addedRows, addedFiles, total, files].map((count) => (count === null ? null : formatCount(count)))
      return [time, id, operation, ...counts, by, state === 'before' ? '' : state]
    })
  const head = ['time', 'snapshot', 'operation', '+rows', '+files', 'rows', 'files', 'by', '']
  const lines = [`${table} at ${location}`, '']
  lines.push(rows.length === 0 ? 'It has no snapshot yet.' : textTable(head, rows))
  if (snapshots.length > MAX_LISTED)
    lines.push(`… and ${formatCount(snapshots.length - MAX_LISTED)} older ones; --json prints all`)
  lines.push('', fault ?? pendingText(pending ?? 0, pipeline))
  return lines.join('\n')
}

export function filesPage(files: readonly ListedFile[]): string {
  const rows = files.slice(0, MAX_LISTED).map(({ partition, content, rows: count, bytes, file }) => [
    Object.entries(partition)
      .map(([name, value]) => `${name}=${value ?? 'null'}`)
      .join('/'),
    content,
    formatCount(count),
    formatBytes(bytes),
    file,
  ])
  if (rows.length === 0) return 'The table has no files.'
  const data = files.filter(({ content }) => content === 'data')
  const total = (of: (file: ListedFile) => number): number => data.reduce((sum, file) => sum + of(file), 0)
  const lines = [textTable(['partition', 'content', 'rows', 'bytes', 'file'], rows)]
  if (files.length > MAX_LISTED) lines.push(`… and ${formatCount(files.length - MAX_LISTED)} more; --json prints all`)
  const [rowCount, bytes] = [total((file) => file.rows), total((file) => file.bytes)]
  lines.push('', `${counted(rowCount, 'row')} in ${counted(data.length, 'data file')}, ${formatBytes(bytes)}`)
  const deletes = files.length - data.length
  if (deletes > 0) lines.push(`and ${counted(deletes, 'delete file')}, which take rows of these away`)
  return lines.join('\n')
}

export function commitPage(commits: readonly CommittedTable[]): string {
  return textTable(
    ['table', 'commits', 'files', 'rows', 'snapshots'],
    commits.map(({ table, entries, files, rows, snapshots }) => [
      table,
      ...[entries, files, rows].map(formatCount),
      snapshots.join(', ') || null,
    ]),
  )
}

export function rollbackPage({ table, from, to, rows, pending }: RolledBackTable, pipeline: string): string {
  const count = rows === null ? '' : `, with ${counted(rows, 'row')}`
  return [
    `${table} is at snapshot ${to} again${count}; it was at ${from ?? 'none'}.`,
    'What other engines did to it since is undone. What the log has brought since is not gone from the log:',
    pendingText(pending, pipeline),
  ].join('\n')
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}

/** What the log holds behind a table. */
export function pendingText(pending: number, pipeline: string): string {
  if (pending === 0) return 'It has taken all that the log holds.'
  const one = pending === 1
  return `${counted(pending, 'commit')} of the log ${one ? 'is' : 'are'} not in it yet, and ${one ? 'enters' : 'enter'} with the next commit: inlet table commit ${pipeline}`
}
