import { committedFiles } from '#shared/lake/committed-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Flow } from '#shared/pipeline/flow.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'

/** What a reader sees of one pipeline in a lake; rows in the order of their positions. */
export interface LakeContents {
  readonly rows: readonly Row[]
  readonly deadLetters: readonly Row[]
}

/** Reads the files that the commit log names, and no other. */
export async function readLake(store: ObjectStore, { pipeline, deadLetters }: Flow): Promise<LakeContents> {
  const files = await committedFiles(store)
  const read = async (table: string): Promise<Row[]> => {
    const rows: Row[] = []
    for (const { path } of files.get(table) ?? []) rows.push(...(await rowsAt(store, path)))
    return rows.sort(byPosition)
  }
  return { rows: await read(pipeline.table.name), deadLetters: await read(deadLetters.name) }
}

async function rowsAt(store: ObjectStore, key: string): Promise<Row[]> {
  const body = await store.get(key)
  if (body === undefined) throw new Error(`${key} is named by a commit but cannot be read`)
  return readParquet(body)
}

/** Where a row came from, as `flights-0@16`. */
export function originOf(row: Row, topic: string): string {
  return `${topic}-${Number(row['_kafka_partition'])}@${Number(row['_offset'])}`
}

function byPosition(a: Row, b: Row): number {
  const columns = ['_kafka_partition', '_offset', '_index']
  return columns.reduce((order, column) => (order === 0 ? Number(a[column]) - Number(b[column]) : order), 0)
}

/**
 * What became of each record, by position, as the lake shows it: `written`, or the rejection's code and field, or
 * `skipped` when it is nowhere. A record in two places has both.
 */
export function outcomesIn(contents: LakeContents, positions: Iterable<string>, topic: string): Map<string, string> {
  const places = new Map<string, Set<string>>([...positions].map((position) => [position, new Set()]))
  const put = (row: Row, place: string): void => {
    const position = originOf(row, topic)
    const found = places.get(position)
    if (found === undefined) places.set(position, new Set([`${place}, but never sent`]))
    else found.add(found.has(place) && place !== 'written' ? `${place} twice` : place)
  }
  for (const row of contents.rows) put(row, 'written')
  for (const row of contents.deadLetters) put(row, [row['code'], row['field']].filter(Boolean).join(' '))
  return new Map([...places].map(([position, found]) => [position, [...found].join(' and ') || 'skipped']))
}
