import type { SnapshotProof } from '#shared/lake/verify/snapshot-proof.ts'
import type { LogGroup, Verification } from '#shared/lake/verify.ts'
import type { LakeProof } from './verification.ts'
import { printable, shortened } from './printable.ts'
import { formatBytes, formatCount } from './progress.ts'
import { textTable } from './text-table.ts'

/** What is shown one by one, so that the page fits a screen of 40 lines: of topics and orphans less when there are faults. */
const MOST = { whole: { groups: 16, orphans: 5 }, faulty: { groups: 4, orphans: 0 }, faults: 20 }

/** A verification as one page for people: the verdict, what there is, what was checked, what is left over and wrong. */
export function verificationPage(verification: LakeProof, lake: string, now = Date.now()): string {
  const { faults, orphans, deep } = verification
  const most = faults.length === 0 ? MOST.whole : MOST.faulty
  const verdict =
    faults.length > 0
      ? `NOT WHOLE: ${plural(faults.length, 'fault')} in the lake ${lake}`
      : deep
        ? `WHOLE: every record of the lake ${lake} is there once`
        : `WHOLE: every offset of the lake ${lake} is covered once, and every data file is there`
  return [
    verdict,
    '',
    ...groupLines(verification.groups, most.groups),
    '',
    ...totalLines(verification),
    ...checkLines(verification),
    ...tableLines(verification.tables, most.groups, now),
    `orphans   ${plural(orphans.length, 'data file')} that no commit names; readers of the log never see them`,
    ...first(orphans, most.orphans, ({ path, bytes }) => `${printable(path)} (${formatBytes(bytes)})`),
    `faults    ${formatCount(faults.length)}`,
    ...first(faults, MOST.faults, ({ object, fault }) => `${printable(object)}: ${printable(fault)}`),
  ].join('\n')
}

const HEAD = ['pipeline', 'cluster', 'topic', 'partitions', 'offsets', 'records', 'rows', 'skipped', 'dead letters']

/** A line for each life of a topic's offsets; of very many, the largest. */
function groupLines(groups: readonly LogGroup[], most: number): string[] {
  const shown = new Set(
    groups.length <= most ? groups : groups.toSorted((a, b) => b.counts.records - a.counts.records).slice(0, most - 1),
  )
  const rest = groups.filter((group) => !shown.has(group))
  const table = textTable(
    [...HEAD, 'resolved', 'gaps', 'state'],
    groups.filter((group) => shown.has(group)).map(groupCells),
  ).split('\n')
  if (rest.length === 0) return table
  const records = rest.reduce((sum, { counts }) => sum + counts.records, 0)
  return [...table, `… and ${plural(rest.length, 'more topic')} with ${plural(records, 'record')}; --json lists all`]
}

function groupCells(group: LogGroup): string[] {
  const { counts, offsets, partitions, sealed } = group
  return [
    `${group.pipeline} g${group.generation}`,
    shortened(group.cluster, 12),
    `${group.topic} e${group.epoch}`,
    formatCount(partitions),
    offsets === null ? '–' : offsets.map(formatCount).join('…'),
    ...[counts.records, counts.rows, counts.skipped, counts.rejected].map(formatCount),
    formatCount(group.resolvedDeadLetters),
    formatCount(group.gaps),
    sealed === 0 ? 'live' : sealed === partitions ? 'sealed' : `${sealed} sealed`,
  ]
}

function totalLines({ counts, resolvedDeadLetters, gaps }: Verification): string[] {
  const { records, written, skipped, rejected, rows } = counts
  const balance = records === written + rejected + skipped ? '=' : '≠'
  return [
    `records   ${formatCount(records)} ${balance} ${formatCount(written)} written + ${formatCount(rejected)} dead letters open + ${formatCount(skipped)} skipped`,
    `rows      ${formatCount(rows)} of the written records; ${plural(resolvedDeadLetters, 'dead letter')} resolved by later amendments`,
    `gaps      ${plural(gaps, 'offset')} within commits that no delivery has brought`,
  ]
}

/** What was looked at, and found right as often as the number says. */
function checkLines({ counts, logs, commits, amendments, files, bytes, checks, deep }: Verification): string[] {
  const lines = [
    `checked   ${plural(counts.records, 'offset')} covered once, by ${plural(commits, 'commit')} and ${plural(amendments, 'amendment')} in ${plural(logs, 'chain')}`,
    `          ${formatCount(checks.files)} of ${plural(files, 'data file')} there, each named once and of the size its commit says, ${formatBytes(bytes)}`,
    ...(checks.replaced === 0
      ? []
      : [`          ${plural(checks.replaced, 'data file')} replaced in their tables by other engines, and gone`]),
  ]
  if (!deep) return [...lines, '          not what is in the data files: --deep reads them']
  return [
    ...lines,
    `          ${formatCount(checks.checksums)} with the SHA-256 that their commits say`,
    `          ${plural(checks.rows, 'row')} and ${plural(checks.deadLetters, 'dead letter')} traced to their records: none twice, none lost, none foreign`,
  ]
}

/** A line for each Iceberg table: its current snapshot, and how far it is behind the log. */
function tableLines(tables: readonly SnapshotProof[], most: number, now: number): string[] {
  return first(tables, most, (proof) => {
    const { table, snapshotId, files, rows, traced, pending, pendingSince, foreignSnapshots } = proof
    const head = `${table}: ${snapshotId === null ? 'without a snapshot' : `snapshot ${snapshotId}`}`
    const anew = traced === null ? '' : ', each row traced to its record'
    const foreign =
      foreignSnapshots === 0 ? '' : `, after ${plural(foreignSnapshots, 'snapshot')} of other engines${anew}`
    const age =
      pendingSince === null
        ? ''
        : `, whose records are of ${new Date(pendingSince).toISOString()} (${ageText(now - pendingSince)} ago)`
    const behind = pending === 0 ? 'nothing pending' : `${plural(pending, 'commit')} pending${age}`
    return `${head}, ${plural(files, 'data file')} with ${plural(rows, 'row')}${foreign}; ${behind}`
  }).map((line, i) => (i === 0 ? `tables    ${line.trimStart()}` : `        ${line}`))
}

function ageText(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 120) return plural(minutes, 'minute')
  return minutes < 2880 ? plural(Math.round(minutes / 60), 'hour') : plural(Math.round(minutes / 1440), 'day')
}

function first<T>(list: readonly T[], most: number, text: (one: T) => string): string[] {
  const lines = list.slice(0, most).map((one) => `  ${text(one)}`)
  return list.length <= most ? lines : [...lines, `  … and ${formatCount(list.length - most)} more; --json lists all`]
}

function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
