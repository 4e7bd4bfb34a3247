/**
 * Texts that software trips over, the whole way: as JSON, as a value, as a key of a map, as the key and a header of the
 * record, and as the partition that a row belongs to, on a real file system.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import * as z from 'zod'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { processBatch } from '#shared/pipeline/process-batch.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const FOLDER = new URL('../fixtures/naughty-strings/', import.meta.url)
const list = (name: string): string[] => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as string[]
const decoded = list('blns.base64.json').map((text) => Buffer.from(text, 'base64').toString('utf8').replace(/\n$/, ''))
/** Each once; two more are what the decoder refuses as keys. */
const STRINGS = [
  ...new Set([...list('blns.json'), ...decoded, '__proto__', 'constructor', '.', '..', '../..', '\u0000']),
]

const Naughty = z.object({ text: z.string(), map: z.record(z.string(), z.string()) })
const flow = compileFlow(
  definePipeline({
    name: 'naughty',
    topic: 'naughty',
    event: Naughty,
    row: Naughty,
    transform: ({ value }) => value,
    lake: { table: 'naughty', layout: 'files', partitionBy: { text: 'identity' }, keep: ['key', 'headers'] },
  }),
)
const isKey = (text: string): boolean => text !== '__proto__' && text !== 'constructor'
const directory = temporaryDirectory()

async function landStrings(store: DirectoryStore): Promise<void> {
  const records = STRINGS.map((text, offset) => {
    const headers = [{ name: text, value: Buffer.from(text) }]
    const value = JSON.stringify({ text, map: isKey(text) ? { [text]: text } : {} })
    return kafkaRecord(value, { topic: 'naughty', offset, key: Buffer.from(text), headers })
  })
  const delivery = {
    source: { cluster: 'demo', topic: 'naughty' },
    partitions: [{ topic: 'naughty', partition: 0, records }],
  }
  const options = { lake: new ObjectStoreLake(store), signal: new AbortController().signal, concurrency: 16 }
  const [report] = await processBatch(flow, delivery, options)
  expect(report).toMatchObject({ records: STRINGS.length, written: STRINGS.length, rejected: 0, error: null })
}

/** The rows of a file. As it stands, hyparquet takes a byte-order mark away from the beginning of a text. */
async function readRows(store: DirectoryStore, key: string): Promise<Row[]> {
  const file = Uint8Array.from((await store.get(key)) ?? []).buffer
  const stringFromBytes = (bytes?: Uint8Array): string => Buffer.from(bytes ?? []).toString('utf8')
  const compressors = { ZSTD: (page: Uint8Array) => zstdDecompressSync(page) }
  const parsers = { stringFromBytes } as unknown as NonNullable<Parameters<typeof parquetReadObjects>[0]['parsers']>
  return parquetReadObjects({ file, compressors, utf8: false, parsers })
}

/** Every file and folder below a directory, relative to it. */
function entriesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
}

test('there are enough of them', () => {
  expect(STRINGS.length).toBeGreaterThan(480)
})

test('they are read back as they were sent, and lie where they belong', async () => {
  const root = path.join(directory(), 'a/lake')
  const store = new DirectoryStore(root)
  await landStrings(store)

  const files = (await committedFiles(store)).get('naughty') ?? []
  const rows = (await Promise.all(files.map(async ({ path: key }) => readRows(store, key)))).flat()
  rows.sort((a, b) => Number(a['_offset']) - Number(b['_offset']))
  const read = rows.map((row: Row) => {
    const { text, map, _key, _headers } = row as {
      text: string
      map: object
      _key: Uint8Array
      _headers: { name: string; value: Uint8Array }[]
    }
    const headers = _headers.map(({ name, value }) => [name, Buffer.from(value).toString('utf8')])
    return [text, map, Buffer.from(_key).toString('utf8'), headers]
  })
  expect(read).toEqual(STRINGS.map((text) => [text, isKey(text) ? { [text]: text } : {}, text, [[text, text]]]))

  // One file for each of them, named by a commit that tells the very text.
  expect(new Set(files.map(({ partition }) => partition['text']))).toEqual(new Set(STRINGS))
  const prefix = 'tables/naughty/data/'
  for (const { path: key } of files) {
    expect(path.posix.normalize(key)).toBe(key)
    expect(key.startsWith(prefix)).toBe(true)
    expect(key.slice(prefix.length).split('/')).toHaveLength(2)
    expect(existsSync(path.join(root, key))).toBe(true)
  }

  // And nothing else is anywhere: the log, the folder of the table, and the store's own room for unfinished files.
  expect(
    entriesBelow(path.join(directory(), 'a')).filter(
      (name) => !/^lake(?:$|\/\.scratch$|\/(?:log|tables)(?:\/|$))/.test(name),
    ),
  ).toEqual([])
  const tables = entriesBelow(path.join(root, 'tables'))
  expect(tables.filter((name) => !/^naughty(?:$|\/data(?:$|\/text=[^/]+(?:$|\/[^/]+\.parquet$)))/.test(name))).toEqual(
    [],
  )
  expect(tables.filter((name) => name.endsWith('.parquet'))).toHaveLength(STRINGS.length)
})
