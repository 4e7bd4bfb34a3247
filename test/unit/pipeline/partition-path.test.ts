import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { dataFileKey, logPrefix, MAX_OFFSET } from '#shared/lake/log-keys.ts'
import type { ColumnType } from '#shared/pipeline/columns.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { type PartitionValue, partitionOf } from '#shared/pipeline/partition.ts'
import { escapePath, partitionPath } from '#shared/pipeline/partition-path.ts'
import { type PartitionSpec, type PartitionTransform, partitionSpecOf } from '#shared/pipeline/partition-spec.ts'
import { inTemporaryDirectory } from '#test/helpers/temporary-directory.ts'

/** See the description in the file. */
interface Cases {
  readonly escapes: readonly [string, string][]
  readonly paths: readonly { name: string; fields: string[]; row: Record<string, unknown>; path: string }[]
  readonly refused: readonly { name: string; fields: string[] }[]
  readonly hours: readonly [number, string][]
  readonly timesRefused: readonly string[]
}

const cases = JSON.parse(readFileSync(new URL('../../fixtures/partition-cases.json', import.meta.url), 'utf8')) as Cases

const TYPES: Readonly<Record<string, ColumnType>> = {
  boolean: { kind: 'boolean' },
  int: { kind: 'int32' },
  short: { kind: 'int32' },
  string: { kind: 'string' },
  float: { kind: 'float' },
  double: { kind: 'double' },
  array: { kind: 'list', element: { name: 'element', type: { kind: 'string' }, nullable: false } },
  at: { kind: 'timestamp', unit: 'us', utc: true },
}

function specBy(fields: readonly string[], transform: 'identity' | 'hour' = 'identity'): PartitionSpec {
  const columns = Object.entries(TYPES).map(([name, type]) => ({ name, type, nullable: false }))
  return partitionSpecOf(Object.fromEntries(fields.map((field) => [field, transform])), columns)
}

function shown(value: PartitionValue, transform: PartitionTransform): string {
  return partitionPath([value], [{ column: 'c', source: { kind: 'string' }, transform, name: 'c', isTime: false }])
}

describe('what other writers do', () => {
  test.each([...cases.escapes])('%j is escaped', (text, escaped) => {
    expect(shown(text, 'identity')).toBe(`c=${escaped}`)
    expect(escapePath(text)).toBe(escaped)
  })

  test.each(cases.paths)('$name', ({ fields, row, path }) => {
    const spec = specBy(fields)
    const values = partitionOf(row, spec)
    expect(values.ok && partitionPath(values.value, spec)).toBe(path)
  })

  test.each(cases.refused)('$name', ({ fields }) => {
    expect(() => specBy(fields)).toThrow(PipelineDefinitionError)
  })

  test.each(cases.hours)('hour of %d', (ms, hour) => {
    const spec = specBy(['at'], 'hour')
    const values = partitionOf({ at: new Date(ms) }, spec)
    expect(values.ok && partitionPath(values.value, spec)).toBe(`at_hour=${hour}`)
  })

  test.each(cases.timesRefused)('no hour of %s', (ms) => {
    expect(partitionOf({ at: Number(ms) }, specBy(['at'], 'hour'))).toMatchObject({ ok: false })
  })
})

test('is one directory for each field', () => {
  expect(partitionPath(['EWR', 7, true], specBy(['string', 'int', 'boolean']))).toBe('string=EWR/int=7/boolean=true')
  expect(partitionPath([], [])).toBe('')
})

test.each<[PartitionTransform, PartitionValue, string]>([
  ['day', 0, '1970-01-01'],
  ['day', 15_706, '2013-01-01'],
  ['day', -1, '1969-12-31'],
  ['day', 19_782, '2024-02-29'],
  ['day', 3_000_000, '10183-09-21'],
  ['day', -719_529, '-001-12-31'],
  ['day', -1_000_000, '-768-02-04'],
  ['day', 100_000_000, '275760-09-13'],
  ['day', -100_000_000, '-271821-04-20'],
  ['hour', 0, '1970-01-01-00'],
  ['hour', 376_949, '2013-01-01-05'],
  ['hour', -1, '1969-12-31-23'],
  ['hour', -24, '1969-12-31-00'],
  ['hour', -25, '1969-12-30-23'],
  ['month', 0, '1970-01'],
  ['month', 516, '2013-01'],
  ['month', -1, '1969-12'],
  ['month', -12, '1969-01'],
  ['month', -13, '1968-12'],
  ['year', 0, '1970'],
  ['year', 43, '2013'],
  ['year', -1, '1969'],
  ['year', -1970, '0000'],
  ['year', -1971, '-001'],
  ['bucket[16]', 7, '7'],
  ['truncate[10]', -20, '-20'],
  ['truncate[2]', 'a/', 'a%2F'],
])('%s %s is %s', (transform, value, text) => {
  expect(shown(value, transform)).toBe(`c=${text}`)
})

test.each<[string, PartitionValue, string]>([
  ['null', null, '__HIVE_DEFAULT_PARTITION__'],
  ['the empty text, which Hive cannot tell from null', '', '__HIVE_DEFAULT_PARTITION__'],
  ['zero', 0, '0'],
  ['the way up', '../../log', '..%2F..%2Flog'],
  ['a value that looks escaped', '100%2F', '100%252F'],
  ['control characters', '\u0000\n\u001f\u007f', '%00%0A%1F%7F'],
  ['what Hive escapes, and }', '"#%\'*/:=?\\{[]^}', '%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E%7D'],
  ['what Hive leaves alone', 'a b,c+d~!@&();$|<>`.-_ü日🛫\u0080', 'a b,c+d~!@&();$|<>`.-_ü日🛫\u0080'],
  ['a bigint', 9_007_199_254_740_993n, '9007199254740993'],
  ['a time', '2017-11-16T22:31:08.000000+00:00', '2017-11-16T22%3A31%3A08.000000+00%3A00'],
  ['dots, which are no way up behind a name', '..', '..'],
])('identity of %s', (_, value, text) => {
  expect(shown(value, 'identity')).toBe(`c=${text}`)
})

test('the null of every transform is the same', () => {
  for (const transform of ['hour', 'day', 'month', 'year', 'bucket[4]', 'truncate[4]'] as const)
    expect(shown(null, transform)).toBe('c=__HIVE_DEFAULT_PARTITION__')
})

test('escapes the name of a field too', () => {
  const spec = partitionSpecOf({ 'a/b=': 'identity' }, [{ name: 'a/b=', type: { kind: 'string' }, nullable: true }])
  expect(partitionPath(['x'], spec)).toBe('a%2Fb%3D=x')
})

describe('a long value', () => {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

  test('that just fits is whole', () => {
    expect(shown('x'.repeat(252), 'identity')).toBe(`c=${'x'.repeat(252)}`)
    expect(shown('é'.repeat(126), 'identity')).toBe(`c=${'é'.repeat(126)}`)
  })

  test('ends in a digest of all of it', () => {
    const text = 'x'.repeat(253)
    expect(shown(text, 'identity')).toBe(`c=${'x'.repeat(235)}~${digest(text)}`)
    expect(shown(`${'x'.repeat(300)}1`, 'identity')).not.toBe(shown(`${'x'.repeat(300)}2`, 'identity'))
  })

  test('is cut between characters and between escapes, and counts in bytes', () => {
    expect(shown('é'.repeat(127), 'identity')).toBe(`c=${'é'.repeat(117)}~${digest('é'.repeat(127))}`)
    expect(shown('🛫'.repeat(64), 'identity')).toBe(`c=${'🛫'.repeat(58)}~${digest('🛫'.repeat(64))}`)
    expect(shown('/'.repeat(85), 'identity')).toBe(`c=${'%2F'.repeat(78)}~${digest('/'.repeat(85))}`)
  })

  test('is cut alike in every partition of its table, sooner the more fields there are', () => {
    const columns = ['a', 'b', 'c'].map((name) => ({ name, type: { kind: 'string' } as const, nullable: true }))
    const spec = partitionSpecOf({ a: 'identity', b: 'identity', c: 'identity' }, columns)
    const long = 'x'.repeat(600)
    const [first] = partitionPath([long, 'b', 'c'], spec).split('/')
    expect(partitionPath([long, long, long], spec).split('/')[0]).toBe(first)
    expect(partitionPath([long, long, long], spec)).toHaveLength(3 * 191 + 2)
  })
})

test('a file system takes the longest of them, and S3 the key that they are part of', async () => {
  const names = ['n'.repeat(100), 'm'.repeat(100)]
  const columns = names.map((name) => ({ name, type: { kind: 'string' } as const, nullable: true }))
  const spec = partitionSpecOf(Object.fromEntries(names.map((name) => [name, 'identity'])), columns)
  const path = partitionPath(['🛫/'.repeat(300), 'é\u0000'.repeat(300)], spec)
  const log = logPrefix({ pipeline: 'p', generation: 0, cluster: 'c', topic: 't', epoch: 0, partition: 0 })
  const place = { kind: 'amendment', amends: MAX_OFFSET, number: 999_999 } as const
  const file = { table: 't'.repeat(141), partitionPath: path, partition: {}, rows: 0, body: new Uint8Array() }
  const key = dataFileKey(log, place, randomUUID(), 99_999, { ...file, format: 'jsonl.zst' })
  expect(Buffer.byteLength(key)).toBeLessThan(1024 - 150)
  await inTemporaryDirectory(async (directory) => {
    const store = new DirectoryStore(directory)
    expect(await store.putIfAbsent(key, file.body)).toBe('created')
  })
})

describe('a text as a segment of a path', () => {
  test.each([
    ['.', '%2E'],
    ['..', '%2E%2E'],
    ['...', '...'],
    ['.a', '.a'],
    ['arn:aws:kafka/x', 'arn%3Aaws%3Akafka%2Fx'],
  ])('%s', (text, segment) => {
    expect(escapePath(text)).toBe(segment)
    expect(decodeURIComponent(segment)).toBe(text)
  })
})
