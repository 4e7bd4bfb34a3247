import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { formatCount, Progress } from '#shared/cli/progress.ts'
import { fileRowsOf } from '#shared/formats/file-rows.ts'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import type { Attempt, DataFile, SliceContent } from '#shared/pipeline/commit.ts'
import { TIMESTAMP } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { defineTable, type Table } from '#shared/pipeline/table.ts'
import { kafkaRecord } from './kafka-record.ts'

/** How many records, in how many commits, of how many Kafka partitions a lake holds. */
export interface LakeShape {
  readonly partitions: number
  readonly commits: number
  readonly records: number
  /** Only every other offset was delivered, so that an entry lists each by itself. */
  readonly hasGaps?: boolean
  /** Random bytes in each row, which nothing compresses. */
  readonly payload?: number
  /** The folders that the data files of each day lie in. */
  readonly folders?: string
}

const ROWS = defineTable(
  'readings',
  [
    { name: 'sensor', type: { kind: 'string' }, nullable: false },
    { name: 'at', type: TIMESTAMP, nullable: false },
    { name: 'value', type: { kind: 'double' }, nullable: true },
    { name: 'payload', type: { kind: 'binary' }, nullable: false },
  ],
  { layout: 'files' },
)
const CODE = { name: 'code', type: { kind: 'string' }, nullable: false } as const
const DEAD_LETTERS = defineTable('readings_dead_letters', [CODE], { layout: 'files' })

/** One record in so many is rejected. */
const REJECTED = 1000
const DAYS = 30
const DAY_MS = 86_400_000
const BEGIN = Date.UTC(2026, 0, 1)

/** Lands readings of a month through the commit log; only the record path is left out. */
export async function buildLake(directory: string, shape: LakeShape): Promise<void> {
  const { partitions, commits, records, hasGaps = false } = shape
  const store = new UnsyncedDirectory(directory)
  const topic = { pipeline: 'readings', generation: 0, cluster: 'demo', topic: 'readings', epoch: 0 }
  const logs = Array.from({ length: partitions }, (_, partition) => new CommitLog(store, { ...topic, partition }))
  const ends = logs.map(() => 0)
  const progress = new Progress(`${formatCount(commits)} commits`, records, 'records')
  let landed = 0
  for (let commit = 0; commit < commits; commit++) {
    const partition = commit % partitions
    const count = Math.floor(((commit + 1) * records) / commits) - landed
    const day = Math.floor((commit * DAYS) / commits)
    const slice = sliceOf(partition, ends[partition] ?? 0, count, hasGaps ? 2 : 1, BEGIN + day * DAY_MS)
    await logs[partition]?.land(slice, (some, attempt) => write(some, attempt, day, shape))
    ends[partition] = (slice.at(-1)?.offset ?? -1) + 1
    landed += count
    progress.advance(count)
  }
  progress.stop()
}

function sliceOf(partition: number, start: number, count: number, step: number, begin: number): KafkaRecord[] {
  const apart = DAY_MS / count
  return Array.from({ length: count }, (_, i) => {
    const [offset, timestamp] = [start + i * step, begin + Math.floor(i * apart)]
    return kafkaRecord(null, { topic: 'readings', partition, offset, timestamp })
  })
}

async function write(
  records: readonly KafkaRecord[],
  attempt: Attempt,
  day: number,
  { payload = 0, folders = '' }: LakeShape,
): Promise<SliceContent> {
  const isRejected = ({ offset }: KafkaRecord): boolean => offset % REJECTED === 8
  const [accepted, rejected] = [records.filter((record) => !isRejected(record)), records.filter(isRejected)]
  const rowOf = ({ offset, timestamp }: KafkaRecord): Row => ({
    sensor: `sensor-${offset % 500}`,
    at: new Date(timestamp),
    value: Math.sin(offset),
    payload: randomBytes(payload),
  })
  const files = [
    await fileOf(ROWS, accepted, attempt, `${folders}day=${day}`, rowOf),
    await fileOf(DEAD_LETTERS, rejected, attempt, `${folders}day=${day}`, () => ({ code: 'JSON_INVALID' })),
  ]
  const written = accepted.length
  return {
    files: files.filter((file) => file !== undefined),
    rejected: rejected.map(({ offset }) => offset),
    counts: { records: records.length, written, skipped: 0, rejected: rejected.length, rows: written },
    pipelineVersion: 'v1',
    schemaId: ROWS.schemaId,
    specId: ROWS.specId,
    watermark: null,
  }
}

async function fileOf(
  table: Table,
  records: readonly KafkaRecord[],
  attempt: Attempt,
  partitionPath: string,
  row: (record: KafkaRecord) => Row,
): Promise<DataFile | undefined> {
  if (records.length === 0) return undefined
  const rows = fileRowsOf(table)
  for (const record of records) {
    const { partition: _kafka_partition, offset: _offset, timestamp: _timestamp } = record
    rows.append({ ...row(record), _epoch: attempt.epoch, _kafka_partition, _offset, _index: 0, _timestamp })
  }
  const { body } = rows.encode({})
  const { name, format } = table
  return attempt.writeFile({ table: name, partitionPath, partition: {}, rows: rows.count, format, body, locked: null })
}

/** A directory of the same layout that is not synced to the disk: nothing here has to survive a power cut. */
class UnsyncedDirectory extends DirectoryStore {
  readonly #root: string
  readonly #made = new Set<string>()

  constructor(root: string) {
    super(root)
    this.#root = root
  }

  override async put(key: string, body: Uint8Array): Promise<void> {
    await this.#write(key, body)
  }

  override async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'taken'> {
    await this.#write(key, body)
    return 'created'
  }

  async #write(key: string, body: Uint8Array): Promise<void> {
    const file = path.join(this.#root, key)
    const folder = path.dirname(file)
    if (!this.#made.has(folder)) await mkdir(folder, { recursive: true })
    this.#made.add(folder)
    await writeFile(file, body, { flag: 'wx' })
  }
}
