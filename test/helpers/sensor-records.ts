import { committedFiles } from '#shared/lake/committed-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { readParquet } from './parquet-reader.ts'
import { reading } from './sensors.ts'
import type { Random } from './simulation/random.ts'

/** What the pipeline `sensors` makes of a value: so many rows, a dead letter, or neither. */
const KINDS: readonly { value: (day: string) => string | null; rows: number; deadLetters: number }[] = [
  { value: (day) => reading(5, day), rows: 1, deadLetters: 0 },
  { value: (day) => reading(null, day), rows: 1, deadLetters: 0 },
  { value: (day) => reading(-2, day), rows: 2, deadLetters: 0 },
  { value: (day) => reading(0, day), rows: 0, deadLetters: 0 },
  { value: (day) => reading(666, day), rows: 0, deadLetters: 1 },
  { value: () => '{', rows: 0, deadLetters: 1 },
]

/** The values of one Kafka partition, by offset, and where its rows and dead letters come from: `partition@offset.index`. */
export interface SensorRecords {
  readonly values: readonly (string | null)[]
  readonly rows: readonly string[]
  readonly deadLetters: readonly string[]
}

/** Values of every kind, over three days. */
export function sensorRecords(count: number, random: Random, partition = 0): SensorRecords {
  const values: (string | null)[] = []
  const [rows, deadLetters]: [string[], string[]] = [[], []]
  for (let offset = 0; offset < count; offset++) {
    const kind = KINDS[random.between(0, KINDS.length - 1)] as (typeof KINDS)[number]
    values.push(kind.value(`2026-01-0${random.between(1, 3)}`))
    for (let index = 0; index < kind.rows; index++) rows.push(`${partition}@${offset}.${index}`)
    for (let index = 0; index < kind.deadLetters; index++) deadLetters.push(`${partition}@${offset}.${index}`)
  }
  return { values, rows, deadLetters }
}

/** Where the rows of a table come from, as those see it who read the files that the log names; sorted. */
export async function originsIn(store: ObjectStore, table: string): Promise<string[]> {
  const origins: string[] = []
  for (const file of (await committedFiles(store)).get(table) ?? []) {
    const rows = await readParquet((await store.get(file.path)) ?? new Uint8Array())
    for (const row of rows)
      origins.push(`${Number(row['_kafka_partition'])}@${Number(row['_offset'])}.${Number(row['_index'])}`)
  }
  return origins.sort()
}
