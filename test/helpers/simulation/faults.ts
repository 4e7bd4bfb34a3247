import { isSeal, type LogEntry } from '#shared/lake/log-entry.ts'
import {
  amendmentKey,
  commitKey,
  dataPrefix,
  logDigest,
  markersPrefix,
  parseDataFileKey,
  parseMarkerKey,
} from '#shared/lake/log-keys.ts'
import { auditLog, type LogAudit, nameOf, offsetsOf } from './log-audit.ts'
import { FIXED, rowsOf, type TopicPartition, verdictOf } from './topic.ts'
import type { NamesIn, ReportedLanding } from './workload.ts'
import { foreignFile, type World } from './world.ts'

/** A log of the world and all that was found in it. */
interface AuditedLog extends LogAudit {
  readonly partition: TopicPartition
}

/** What the end of a schedule must not show; nothing when every record is where it belongs, once. */
export function faultsOf(world: World, namesIn: NamesIn): string[] {
  const logs = world.source.partitions.map(
    (partition): AuditedLog => ({ partition, ...auditLog(world.bucket.objects, partition.prefix) }),
  )
  const faults = [...world.surprises]
  for (const log of logs) faults.push(...log.faults, ...recordFaults(log), ...fileFaults(world, log, namesIn))
  const entries = logs.flatMap((log) => log.entries)
  for (const landing of world.landings) faults.push(...landingFaults(landing, entries))
  faults.push(...rowFaults(world, logs, namesIn), ...markFaults(world, logs), ...vacuumFaults(world, logs))
  return faults
}

/** Each record is settled, and nothing that is no record. */
function recordFaults({ partition, settled, rejected }: AuditedLog): string[] {
  const faults: string[] = []
  const isRefusedForEver = (offset: number): boolean =>
    rejected.has(offset) && verdictOf(partition.natureOf(offset).kind, FIXED) === 'rejected'
  for (const { offset } of partition.records)
    if (!settled.has(offset) && !isRefusedForEver(offset)) faults.push(`${partition.natureOf(offset).name} is lost`)
  for (const offset of [...settled.keys(), ...rejected.keys()])
    if (!partition.has(offset)) faults.push(`${partition.name}@${offset} is covered but was never delivered`)
  return faults
}

/** Each file that an entry names is there, and they hold just what its version makes of the records that it covers. */
function fileFaults({ bucket, workload }: World, { partition, entries }: AuditedLog, namesIn: NamesIn): string[] {
  const faults: string[] = []
  for (const entry of entries) {
    const version = workload.versionOf(entry.pipelineVersion)
    if (isSeal(entry)) continue
    if (version === undefined) {
      faults.push(`${nameOf(entry)} of ${partition.name} is of no version`)
      continue
    }
    const rows: string[] = []
    const deadLetters: string[] = []
    for (const offset of offsetsOf(entry.covered)) {
      if (!partition.has(offset)) continue
      const { name, kind } = partition.natureOf(offset)
      const verdict = verdictOf(kind, version)
      if (verdict === 'written') for (let row = rowsOf(kind); row > 0; row--) rows.push(name)
      if (verdict === 'rejected') deadLetters.push(name)
    }
    const { tables } = workload
    for (const [table, expected] of [[tables.rows, rows] as const, [tables.deadLetters, deadLetters] as const]) {
      const found: string[] = []
      for (const { path } of entry.files.filter((file) => file.table === table)) {
        if (bucket.objects.get(path) === undefined)
          faults.push(`${nameOf(entry)} of ${partition.name} names a deleted file`)
        else found.push(...namesIn(path))
      }
      if (found.sort().join(' ') !== expected.sort().join(' '))
        faults.push(`${nameOf(entry)} of ${partition.name}: its files in ${table} hold ${found.join(' ')}`)
    }
  }
  return faults
}

/** A landing that returned has accounted for each record it was given, and for each entry it made. */
function landingFaults({ given, attempts, said }: ReportedLanding, entries: readonly LogEntry[]): string[] {
  const faults: string[] = []
  const counted = said.contents.reduce((sum, { counts }) => sum + counts.records, said.known)
  if (counted !== given) faults.push(`a landing of ${given} records accounts for ${counted}`)
  const made = attempts.size === 0 ? 0 : entries.filter(({ attempt }) => attempts.has(attempt)).length
  if (made !== said.contents.length) faults.push(`a landing made ${made} entries and reports ${said.contents.length}`)
  return faults
}

/** A reader of the table of rows sees each record once, but for those that were skipped. */
function rowFaults({ bucket, tables, workload }: World, logs: readonly AuditedLog[], namesIn: NamesIn): string[] {
  const faults: string[] = []
  const seen = new Map<string, number>()
  for (const { name, current, missing } of tables) {
    if (missing.length > 0) faults.push(`${name} named a file that was not there yet`)
    for (const path of current.files) {
      const isThere = bucket.objects.get(path) !== undefined
      if (!isThere) faults.push(`${name} names a deleted file`)
      if (name !== workload.tables.rows || !isThere) continue
      for (const record of namesIn(path)) seen.set(record, (seen.get(record) ?? 0) + 1)
    }
  }
  for (const { partition, settled } of logs) {
    for (const { offset } of partition.records) {
      const { name, kind } = partition.natureOf(offset)
      const version = workload.versionOf(settled.get(offset)?.pipelineVersion ?? '') ?? FIXED
      const expected = verdictOf(kind, version) === 'written' ? rowsOf(kind) : 0
      const rows = seen.get(name) ?? 0
      if (rows !== expected) faults.push(`${name} is in ${workload.tables.rows} ${rows} times, not ${expected}`)
    }
  }
  return faults
}

/** Each table names the files that the logs name, once; it has followed them to their ends, and released the markers. */
function markFaults({ bucket: { objects }, tables }: World, logs: readonly AuditedLog[]): string[] {
  const faults: string[] = []
  for (const { name, current } of tables) {
    const named = logs.flatMap(({ entries }) => entries.flatMap(({ files }) => files))
    const paths = named.flatMap(({ table, path }) => (table === name ? [path] : [])).sort()
    // Files whose rows were given scores have taken the place of others: what is in them is looked at by itself.
    const isRescored = current.files.some(isOfRescoring)
    if (!isRescored && paths.join() !== current.files.toSorted().join())
      faults.push(`${name} names ${current.files.length} files, the logs ${paths.length}, or others`)
    for (const { partition, entries } of logs) {
      const { prefix } = partition
      const end = entries.findLast(({ kind }) => kind !== 'amendment')?.end ?? -1
      const next = current.marks[prefix]?.next ?? 0
      if (next !== end + 1) faults.push(`${name} has followed ${partition.name} to ${next}, not to ${end + 1}`)
      for (const { key } of objects.page(markersPrefix(prefix, name), undefined, Number.POSITIVE_INFINITY).entries) {
        const { amends, number } = parseMarkerKey(key)
        if (objects.get(amendmentKey(prefix, amends, number)) !== undefined)
          faults.push(`${name} still has the marker of amendment ${amends}.${number}`)
      }
    }
  }
  return faults
}

/** Such a file is none of a slice's, and no vacuum's business. */
function isOfRescoring(path: string): boolean {
  return path.includes('/rescored-')
}

/** Of the data files that no entry names, those alone are left whose place is still free; and everything of others. */
function vacuumFaults({ bucket: { objects }, tables, workload }: World, logs: readonly AuditedLog[]): string[] {
  const faults: string[] = []
  const foreign = foreignFile(workload.tables.rows)
  if (objects.get(foreign) === undefined) faults.push('the vacuum has deleted a file that is not of Inlet')
  const named = new Set(logs.flatMap(({ entries }) => entries.flatMap(({ files }) => files.map(({ path }) => path))))
  const prefixes = new Map(logs.map(({ partition: { prefix } }) => [logDigest(prefix), prefix]))
  for (const { name } of tables) {
    for (const { key } of objects.page(dataPrefix(name), undefined, Number.POSITIVE_INFINITY).entries) {
      if (named.has(key) || key === foreign || isOfRescoring(key)) continue
      const written = parseDataFileKey(key)
      const prefix = prefixes.get(written?.log ?? '') ?? ''
      const place = written?.place
      const owner =
        place?.kind === 'amendment'
          ? amendmentKey(prefix, place.amends, place.number)
          : commitKey(prefix, place?.start ?? 0)
      if (place === undefined || objects.get(owner) !== undefined) faults.push(`the vacuum has left ${key}`)
    }
  }
  return faults
}
