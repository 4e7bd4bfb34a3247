import { ObjectStoreLake } from '#shared/lake/lake.ts'
import type { TopicId } from '#shared/lake/log-keys.ts'
import { redriveLog } from '#shared/lake/redrive-log.ts'
import { batchResponse } from '#shared/pipeline/batch-response.ts'
import type { Attempt, DataFile, SliceContent, SliceLog, WriteSlice } from '#shared/pipeline/commit.ts'
import { landSlice } from '#shared/pipeline/process-batch.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { MemoryTable } from './memory-table.ts'
import { type Kind, rowsOf, type Verdict, verdictOf, type Version } from './topic.ts'
import type { Machine, Workload } from './workload.ts'

const TOPIC: TopicId = { pipeline: 'flights', generation: 0, cluster: 'demo', topic: 'flights' }
const ROWS = 'flights'
const DEAD_LETTERS = 'flights_dead_letters'
const VERSIONS = ['v0', 'v1', 'v2']

/** A race is lost to somebody who makes progress; a landing that loses so many goes in circles. */
const MOST_ATTEMPTS = 25
/** Records whose rows go into two files, as of two table partitions, are so many at a time. */
const SPLIT = 5

/**
 * The commit log, with a format that costs nothing: a value is the name of its record and what it is like, a file the names
 * of its records.
 */
export const LOG_WORKLOAD: Workload = {
  topic: TOPIC,
  tables: { rows: ROWS, deadLetters: DEAD_LETTERS },
  open: (exists) => [new MemoryTable(ROWS, exists), new MemoryTable(DEAD_LETTERS, exists)],
  valueOf: ({ name, kind, mark }) => Buffer.from(`${name} ${kind} ${mark}`),
  odd: 0.3,
  filterOf: (marks) => ({ value: marks.map((mark) => ({ suffix: ` ${mark}` })) }),

  start(machine, version, trigger) {
    const { pipeline: name, generation, ...source } = TOPIC
    const lake = new ObjectStoreLake(machine.store)
    return async (partitions) => {
      const landings = partitions.map((slice) => {
        const log = lake.openLog({ name, generation }, source, slice.partition)
        return landSlice(slice, observed(log, slice.partition, machine), writes(version))
      })
      return batchResponse(await Promise.all(landings), { source, partitions }, trigger)
    }
  },

  redrive(machine, version) {
    return async ({ epoch, partition, records }) => {
      const log = redriveLog(machine.store, { ...TOPIC, epoch, partition })
      await observed(log, partition, machine).land(records, writes(version))
    }
  },

  read:
    ({ objects }) =>
    (path) =>
      JSON.parse(Buffer.from(objects.get(path) ?? []).toString()) as string[],
  // Its files are none of Parquet.
  verify: async () => [],
  versionOf: (name) => (VERSIONS.includes(name) ? (VERSIONS.indexOf(name) as Version) : undefined),
}

/** A log that tells the machine what came of each landing. */
function observed(log: SliceLog, partition: number, { landed, failed }: Machine): SliceLog {
  return {
    async land(records, write) {
      const attempts = new Set<string>()
      const observedWrite: WriteSlice = (some, attempt) => {
        if (attempts.add(attempt.id).size > MOST_ATTEMPTS) throw new Error('a landing goes in circles')
        return write(some, attempt)
      }
      try {
        const said = await log.land(records, observedWrite)
        landed({ given: records.length, attempts, said })
        return said
      } catch (error) {
        failed(partition, error)
        throw error
      }
    },
  }
}

/** The flow between the log and the files. */
function writes(version: Version): WriteSlice {
  return async (records, attempt) => {
    const by: Record<Verdict, KafkaRecord[]> = { written: [], skipped: [], rejected: [] }
    for (const record of records) by[verdictOf(kindIn(record), version)].push(record)
    const { written, rejected } = by
    const middle = written.length % SPLIT === 0 ? written.length >> 1 : 0
    const files: DataFile[] = []
    for (const some of [written.slice(0, middle), written.slice(middle)])
      if (some.length > 0) files.push(await writeNames(attempt, ROWS, some))
    if (rejected.length > 0) files.push(await writeNames(attempt, DEAD_LETTERS, rejected))
    return contentOf(records, by, files, version)
  }
}

function writeNames(attempt: Attempt, table: string, records: readonly KafkaRecord[]): Promise<DataFile> {
  const names = records.flatMap((record) => {
    const name = fieldsOf(record)[0] ?? ''
    return table === ROWS && rowsOf(kindIn(record)) === 2 ? [name, name] : [name]
  })
  const body = Buffer.from(JSON.stringify(names))
  return attempt.writeFile({ table, partitionPath: '', partition: {}, rows: names.length, format: 'parquet', body })
}

function kindIn(record: KafkaRecord): Kind {
  return fieldsOf(record)[1] as Kind
}

/** What the value says. */
function fieldsOf(record: KafkaRecord): readonly string[] {
  const fields =
    read.get(record) ??
    Buffer.from(record.value ?? [])
      .toString()
      .split(' ')
  read.set(record, fields)
  return fields
}

const read = new WeakMap<KafkaRecord, readonly string[]>()

function contentOf(
  records: readonly KafkaRecord[],
  { written, skipped, rejected }: Record<Verdict, readonly KafkaRecord[]>,
  files: readonly DataFile[],
  version: Version,
): SliceContent {
  return {
    files,
    rejected: rejected.map(({ offset }) => offset),
    counts: {
      records: records.length,
      written: written.length,
      skipped: skipped.length,
      rejected: rejected.length,
      rows: written.reduce((sum, record) => sum + rowsOf(kindIn(record)), 0),
    },
    pipelineVersion: VERSIONS[version] ?? '',
    schemaId: '1',
    specId: '1',
    watermark: written.at(-1)?.timestamp ?? null,
  }
}
