import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { beginEpoch } from '#shared/lake/epochs.ts'
import { type LogId, TABLES_ROOT } from '#shared/lake/log-keys.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import { writeSlice } from '#shared/pipeline/process-batch.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { FileFormat } from '#shared/pipeline/table.ts'
import { kafkaRecord } from './kafka-record.ts'
import { MemoryStore } from './memory-store.ts'
import type { Random } from './simulation/random.ts'
import { keysOf } from './stored-keys.ts'

const Visit = z.object({ days: z.array(z.iso.date()), isBroken: z.boolean() })

/**
 * A row for each day of a visit, so that a record's rows lie in several files. A visit of no day is skipped, a broken one is
 * rejected until the pipeline is mended.
 */
export function visits(format: FileFormat, isMended = false): Pipeline {
  return definePipeline({
    name: 'visits',
    topic: 'visits',
    event: Visit,
    row: z.object({ day: z.date() }),
    transform: ({ value: { days, isBroken } }) => {
      if (isBroken && !isMended) throw new TypeError('it is broken')
      return days.map((day) => ({ day: new Date(day) }))
    },
    lake: { table: 'visits', layout: 'files', partitionBy: { day: 'day' }, format },
  })
}

/** What became of the records of a lake. */
export interface LakeRecords {
  records: number
  rows: number
  skipped: number
  rejected: number
  resolved: number
  gaps: number
}

export interface RandomLake {
  readonly store: MemoryStore
  readonly format: FileFormat
  readonly truth: LakeRecords
  /** Data files of writers that died. */
  readonly orphans: readonly string[]
}

/**
 * A lake as it comes of slices in any order, with gaps, amendments, redrives, epochs and what crashes leave behind, and
 * what is really in it.
 */
export async function randomLake(random: Random): Promise<RandomLake> {
  const format = random.pick(['parquet', 'parquet', 'jsonl.gz', 'jsonl.zst'] as const) ?? 'parquet'
  const store = new MemoryStore()
  const truth: LakeRecords = { records: 0, rows: 0, skipped: 0, rejected: 0, resolved: 0, gaps: 0 }
  const topic = { pipeline: 'visits', generation: 0, cluster: 'demo', topic: 'visits' }
  const epochs = random.chance(0.3) ? 2 : 1
  for (let epoch = 0; epoch < epochs; epoch++) {
    if (epoch > 0) await beginEpoch(store, topic, epoch - 1)
    const partitions = random.between(1, 3)
    for (let partition = 0; partition < partitions; partition++)
      await land(store, { ...topic, epoch, partition }, format, random, truth)
  }
  return { store, format, truth, orphans: await leaveOrphans(store, random) }
}

/** Files of attempts that came to nothing lie beside those of the attempts that did. */
async function leaveOrphans(store: MemoryStore, random: Random): Promise<string[]> {
  const orphans: string[] = []
  for (const key of await keysOf(store, TABLES_ROOT)) {
    if (!random.chance(0.1)) continue
    const orphan = key.replace(/[0-9a-f-]{36}(?=-\d+\.)/, randomUUID())
    await store.put(orphan, (await store.get(key)) as Uint8Array)
    orphans.push(orphan)
  }
  return orphans.sort()
}

async function land(
  store: MemoryStore,
  id: LogId,
  format: FileFormat,
  random: Random,
  truth: LakeRecords,
): Promise<void> {
  const { signal } = new AbortController()
  const [write, mended] = [false, true].map((isMended) =>
    writeSlice(compileFlow(visits(format, isMended)), { signal, concurrency: 4 }),
  ) as [ReturnType<typeof writeSlice>, ReturnType<typeof writeSlice>]
  const log = new CommitLog(store, id)
  const all = Array.from({ length: random.between(1, 40) }, (_, offset) => recordOf(offset, id.partition, random))
  const delivered = all.filter(() => random.chance(0.9))
  const slices = random.pieces(delivered, 12)
  for (const slice of random.chance(0.5) ? random.shuffled(slices) : slices) await log.land(slice.map(recordIn), write)

  const last = delivered.at(-1)?.record.offset ?? -1
  truth.gaps += last + 1 - delivered.length
  truth.records += delivered.length
  const rejected = delivered.filter(({ isBroken }) => isBroken)
  for (const slice of random.pieces(rejected, 3)) {
    if (random.chance(0.4)) continue
    const isMended = random.chance(0.7)
    await log.land(slice.map(recordIn), isMended ? mended : write, 'redrive')
    for (const visit of isMended ? slice : []) visit.isMended = true
  }
  for (const visit of delivered) {
    if (visit.isBroken) truth[visit.isMended ? 'resolved' : 'rejected'] += 1
    if (visit.isBroken && !visit.isMended) continue
    truth.rows += visit.days
    if (visit.days === 0) truth.skipped += 1
  }
}

interface VisitRecord {
  readonly record: KafkaRecord
  readonly days: number
  readonly isBroken: boolean
  isMended: boolean
}

const recordIn = ({ record }: VisitRecord): KafkaRecord => record

function recordOf(offset: number, partition: number, random: Random): VisitRecord {
  const days = Array.from({ length: random.between(0, 3) }, () => `2026-01-0${random.between(1, 4)}`)
  const isBroken = random.chance(0.2)
  const timestamp = Date.UTC(2026, 0, 1, 10) + 1000 * offset
  const record = kafkaRecord(JSON.stringify({ days, isBroken }), { topic: 'visits', partition, offset, timestamp })
  return { record, days: days.length, isBroken, isMended: false }
}
