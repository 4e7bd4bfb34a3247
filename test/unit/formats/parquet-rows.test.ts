import fc from 'fast-check'
import { ParquetRows } from '#shared/formats/parquet.ts'
import { readParquetRows } from '#shared/formats/parquet-rows.ts'
import { type Column, HEADERS, TIMESTAMP } from '#shared/pipeline/columns.ts'

const COLUMNS: readonly Column[] = [
  { name: 'text', type: { kind: 'string' }, nullable: true },
  { name: 'bytes', type: { kind: 'binary' }, nullable: true },
  { name: 'headers', type: HEADERS, nullable: false },
  { name: 'small', type: { kind: 'int32' }, nullable: false },
  { name: 'large', type: { kind: 'int64' }, nullable: false },
  { name: 'at', type: TIMESTAMP, nullable: false },
  { name: 'ms', type: { kind: 'timestamp', unit: 'ms', utc: false }, nullable: false },
]
const NAMES = COLUMNS.map(({ name }) => name)

function fileOf(rows: readonly Record<string, unknown>[], columns = COLUMNS): Uint8Array {
  const file = new ParquetRows(columns)
  for (const row of rows) file.append(row)
  return file.encode({}).body
}

const row = { text: 'a', bytes: Uint8Array.of(1), headers: [], small: 1, large: 1, at: 1, ms: 1 }

test('any rows come back as they are stored: whatever the bytes, the text, the number and the time', async () => {
  const bytes = fc.uint8Array({ maxLength: 40 })
  const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((some) => some.isWellFormed())
  const time = fc.maxSafeInteger()
  const rows = fc.array(
    fc.record({
      text: fc.option(text),
      bytes: fc.option(bytes),
      headers: fc.array(fc.record({ name: text, value: bytes }), { maxLength: 3 }),
      small: fc.integer(),
      large: fc.maxSafeInteger(),
      at: time,
      ms: time,
    }),
    { maxLength: 30 },
  )
  await fc.assert(
    fc.asyncProperty(rows, async (appended) => {
      const stored = appended.map(({ large, at, ms, ...same }) => {
        return { ...same, large: BigInt(large), at: BigInt(at) * 1000n, ms: BigInt(ms) }
      })
      expect(plain(await readParquetRows(fileOf(appended), NAMES))).toEqual(plain(stored))
    }),
    { numRuns: 200 },
  )
})

/** Bytes by what they hold: a reader may give a `Buffer`, or a piece of a larger one. */
function plain(rows: readonly unknown[]): unknown {
  return JSON.parse(
    JSON.stringify(rows, (_, value: unknown) => {
      if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
      return typeof value === 'bigint' ? `${value}n` : value
    }),
  )
}

test('a byte order mark at the beginning of a text is a part of it', async () => {
  const headers = [{ name: '\ufeffa', value: new Uint8Array() }]
  expect(await readParquetRows(fileOf([{ ...row, text: '\ufeff', headers }]), ['text', 'headers'])).toEqual([
    { text: '\ufeff', headers },
  ])
})

test('a time that no calendar has comes back exactly', async () => {
  const at = Number.MAX_SAFE_INTEGER
  expect(await readParquetRows(fileOf([{ ...row, at }]), ['at'])).toEqual([{ at: BigInt(at) * 1000n }])
})

test('the bytes of a file may be a part of a larger buffer', async () => {
  const file = fileOf([row])
  const larger = Buffer.concat([Uint8Array.of(0, 0, 0), file, Uint8Array.of(0)])
  expect(await readParquetRows(larger.subarray(3, 3 + file.length), ['small'])).toEqual([{ small: 1 }])
})

test.each([
  ['no Parquet', (file: Uint8Array) => file.fill(0), /parquet file invalid/],
  ['cut', (file: Uint8Array) => file.subarray(0, 20), /parquet/i],
  ['with another page', (file: Uint8Array) => file.fill(0xff, 4, 40), /./],
])('a damaged file is an error: %s', async (_, damaged, message) => {
  await expect(async () => readParquetRows(damaged(fileOf([row])), NAMES)).rejects.toThrow(message)
})

test('a column that is not there is an error, not a row without it', async () => {
  await expect(readParquetRows(fileOf([row]), ['nope'])).rejects.toThrow('column not found: nope')
})

test('text that is not UTF-8 is an error, not other text', async () => {
  const file = Buffer.from(fileOf([{ ...row, text: 'abcdefgh' }]))
  for (let at = file.indexOf('abcdefgh'); at !== -1; at = file.indexOf('abcdefgh', at)) file[at] = 0xff
  await expect(readParquetRows(file, ['text'])).rejects.toThrow('not valid for encoding utf-8')
  expect(await readParquetRows(file, ['small'])).toEqual([{ small: 1 }])
})
