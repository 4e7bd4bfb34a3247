import type { LogEntry } from '#shared/lake/log-entry.ts'
import { dataPrefix, logDigest, parseDataFileKey } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import type { ReportedLanding } from './lambda.ts'
import { auditLog, type LogAudit, nameOf, offsetsOf } from './log-audit.ts'
import { DEAD_LETTERS, positionsIn, ROWS } from './slice-writer.ts'
import type { TopicPartition } from './topic.ts'
import { FOREIGN_FILE, type World } from './world.ts'

/** A log of the world and all that was found in it. */
interface AuditedLog extends LogAudit {
  readonly topic: TopicPartition
  readonly log: LogStore
}

/** What the end of a schedule must not show; nothing when every record is where it belongs, once. */
export async function faultsOf(world: World): Promise<string[]> {
  const logs = await Promise.all(
    world.triggers.map(async ({ topic }): Promise<AuditedLog> => {
      const log = new LogStore(world.store, topic.id)
      return { topic, log, ...(await auditLog(world.store, log.prefix)) }
    }),
  )
  const faults = [...world.surprises]
  for (const log of logs) faults.push(...log.faults, ...recordFaults(log), ...(await fileFaults(world, log)))
  const entries = logs.flatMap((log) => log.entries)
  faults.push(...world.lambda.landings.flatMap((landing) => landingFaults(landing, entries)))
  faults.push(...(await rowFaults(world)), ...(await markFaults(world, logs)), ...(await vacuumFaults(world, logs)))
  return faults
}

/** Each record is settled, and nothing that is no record. */
function recordFaults({ topic, settled, rejected }: AuditedLog): string[] {
  const offsets = topic.records.map(({ offset }) => offset)
  const open = offsets.filter((offset) => !settled.has(offset)).map((offset) => `${topic.position(offset)} is lost`)
  const unknown = [...settled, ...rejected].filter((offset) => !offsets.includes(offset))
  return [...open, ...unknown.map((offset) => `${topic.position(offset)} is covered but was never delivered`)]
}

/** Each file that an entry names is there and holds just what the entry says. */
async function fileFaults({ store }: World, { topic, entries }: AuditedLog): Promise<string[]> {
  const faults: string[] = []
  const skipped = new Set(
    topic.records.filter((record) => topic.outcomeOf(record, 'fixed') === 'skipped').map(({ offset }) => offset),
  )
  for (const entry of entries) {
    const rejected = offsetsOf(entry.rejected)
    const written = offsetsOf(entry.covered).filter((offset) => !rejected.includes(offset) && !skipped.has(offset))
    for (const [table, expected] of [
      [ROWS, written],
      [DEAD_LETTERS, rejected],
    ] as const) {
      const found: string[] = []
      for (const file of entry.files.filter((candidate) => candidate.table === table)) {
        const body = await store.get(file.path)
        if (body === undefined) faults.push(`${nameOf(entry)} of ${topic.name} names a deleted file`)
        else found.push(...positionsIn(body))
      }
      if (found.join(' ') !== expected.map((offset) => topic.position(offset)).join(' '))
        faults.push(`${nameOf(entry)} of ${topic.name}: its files in ${table} hold ${found.join(' ')}`)
    }
  }
  return faults
}

/** A landing that returned has accounted for each record it was given, and for each entry it made. */
function landingFaults({ given, attempts, said }: ReportedLanding, entries: readonly LogEntry[]): string[] {
  const faults: string[] = []
  const counted = said.contents.reduce((sum, { counts }) => sum + counts.records, said.known)
  if (counted !== given) faults.push(`a landing of ${given} records accounts for ${counted}`)
  const made = entries.filter(({ attempt }) => attempts.has(attempt)).length
  if (made !== said.contents.length) faults.push(`a landing made ${made} entries and reports ${said.contents.length}`)
  return faults
}

/** A reader of the table of rows sees each record once, but for those that the transform skips. */
async function rowFaults({ store, tables, triggers }: World): Promise<string[]> {
  const faults: string[] = []
  const seen = new Map<string, number>()
  for (const { name, current } of tables) {
    for (const path of current.files) {
      const body = await store.get(path)
      if (body === undefined) faults.push(`${name} names a deleted file`)
      if (name !== ROWS || body === undefined) continue
      for (const position of positionsIn(body)) seen.set(position, (seen.get(position) ?? 0) + 1)
    }
  }
  for (const { topic } of triggers) {
    for (const record of topic.records) {
      const position = topic.position(record.offset)
      const expected = topic.outcomeOf(record, 'fixed') === 'skipped' ? 0 : 1
      const times = seen.get(position) ?? 0
      if (times !== expected) faults.push(`${position} is in ${ROWS} ${times} times`)
    }
  }
  return faults
}

/**
 * Each table names the files that the logs name, once; it has followed them to their ends, and released the markers.
 */
async function markFaults({ tables }: World, logs: readonly AuditedLog[]): Promise<string[]> {
  const faults: string[] = []
  for (const { name, current } of tables) {
    const named = logs.flatMap(({ entries }) =>
      entries.flatMap(({ files }) => files.filter(({ table }) => table === name)),
    )
    const paths = named.map(({ path }) => path).sort()
    if (paths.join() !== current.files.toSorted().join())
      faults.push(`${name} names ${current.files.length} files, the logs ${paths.length}, or others`)
    for (const { topic, log, entries } of logs) {
      const end = entries.findLast(({ kind }) => kind === 'commit')?.end ?? -1
      const next = current.marks[log.prefix]?.next ?? 0
      if (next !== end + 1) faults.push(`${name} has followed ${topic.name} to ${next}, not to ${end + 1}`)
      for (const { amends, number } of await log.markers(name))
        if ((await log.amendmentAt(amends, number)) !== undefined)
          faults.push(`${name} still has the marker of amendment ${amends}.${number}`)
    }
  }
  return faults
}

/** Of the data files that no entry names, those alone are left whose place is still free; and everything of others. */
async function vacuumFaults({ store, tables }: World, logs: readonly AuditedLog[]): Promise<string[]> {
  const faults: string[] = []
  if ((await store.get(FOREIGN_FILE)) === undefined) faults.push('the vacuum has deleted a file that is not of Inlet')
  const named = new Set(logs.flatMap(({ entries }) => entries.flatMap(({ files }) => files.map(({ path }) => path))))
  for (const { name } of tables) {
    for await (const { key } of store.list(dataPrefix(name))) {
      if (named.has(key) || key === FOREIGN_FILE) continue
      const written = parseDataFileKey(key)
      const owner = logs.find(({ log }) => logDigest(log.prefix) === written?.log)
      const place = written?.place
      const isTaken = owner?.entries.some((entry) =>
        place?.kind === 'commit'
          ? entry.kind === 'commit' && entry.start === place.start
          : entry.kind === 'amendment' && entry.amends === place?.amends && entry.number === place.number,
      )
      if (isTaken !== false) faults.push(`the vacuum has left ${key}`)
    }
  }
  return faults
}
