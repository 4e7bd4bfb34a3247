import { type AsyncBuffer, parquetReadObjects } from 'hyparquet'
import { zstdDecompressSync } from 'node:zlib'
import type { OpenCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { liveFiles } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { parseDataFileKey } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { deliver } from './deliveries.ts'
import { LakeTable } from './lake-table.ts'
import { sensors } from './locked-sensors.ts'
import { reading, sensorEvent } from './sensors.ts'
import { range } from './slices.ts'

const KAFKA_PARTITIONS = 3
/** Records of a Kafka partition in a round. */
const ROUND = 24

/** Rows by where they come from: what a reader has found, or has to find. */
export type Rows = ReadonlyMap<string, number | null>

/** A table of readings that grows round by round: three slices, each over all the days. */
export class GrowingTable {
  readonly store: ObjectStore
  readonly table: LakeTable
  readonly #days: readonly string[]
  readonly #landed = new Map<string, number | null>()
  #committed: Rows = new Map()
  #rounds = 0

  /** @param now the clock of the committer */
  constructor(store: ObjectStore, days: readonly string[], tables: OpenCatalog, now: () => number = Date.now) {
    this.store = store
    this.#days = days
    this.table = new LakeTable(store, sensors, { now, tables })
  }

  /** What lies in the log. */
  get landed(): Rows {
    return new Map(this.#landed)
  }

  /** What the table has at the least. */
  get committed(): Rows {
    return this.#committed
  }

  async land(): Promise<void> {
    const first = this.#rounds++ * ROUND
    for (let partition = 0; partition < KAFKA_PARTITIONS; partition++) {
      const values = range(first, first + ROUND - 1).map((offset) => {
        const value = offset % 7 === 0 ? null : 1000 * (partition + 1) + offset + 0.5
        this.#landed.set(`${partition}@${offset}`, value)
        return reading(value, this.#days[offset % this.#days.length])
      })
      await deliver(this.store, sensors, sensorEvent(values, partition, first))
    }
  }

  async commit(): Promise<void> {
    const landed = this.landed
    while ((await this.table.commit()).isMore);
    this.#committed = landed
  }

  /** The rows of the current snapshot. @throws Error when one is there twice */
  async read(): Promise<Rows> {
    const metadata = await this.table.metadata()
    const snapshot = currentSnapshot(metadata)
    const located = this.table.surroundings.tables.filesAt(metadata.location)
    const rows = new Map<string, number | null>()
    if (snapshot === undefined) return rows
    for await (const { location } of liveFiles(metadata, snapshot, (uri) => located.read(uri))) {
      for (const { _kafka_partition, _offset, value } of await rowsOf(await located.read(location))) {
        const key = `${Number(_kafka_partition)}@${Number(_offset)}`
        if (rows.has(key)) throw new Error(`${key} is in snapshot ${snapshot['snapshot-id']} twice`)
        rows.set(key, value === null ? null : Number(value))
      }
    }
    return rows
  }

  /** The live files of each day: those of Inlet's own, and others. */
  async filesByDay(): Promise<Map<string, { readonly own: string[]; readonly others: string[] }>> {
    const days = new Map<string, { own: string[]; others: string[] }>()
    for (const { location } of await this.table.files()) {
      const day = /at_day=(?<day>[\d-]+)/.exec(location)?.groups?.['day'] ?? ''
      const files = days.get(day) ?? { own: [], others: [] }
      files[parseDataFileKey(location) === undefined ? 'others' : 'own'].push(location)
      days.set(day, files)
    }
    return days
  }
}

async function rowsOf(body: Uint8Array): Promise<Record<string, unknown>[]> {
  const file: AsyncBuffer = {
    byteLength: body.byteLength,
    slice: (start, end) => new Uint8Array(body.subarray(start, end)).buffer,
  }
  const compressors = { ZSTD: (page: Uint8Array) => zstdDecompressSync(page) }
  return parquetReadObjects({ file, columns: ['_kafka_partition', '_offset', 'value'], compressors })
}
