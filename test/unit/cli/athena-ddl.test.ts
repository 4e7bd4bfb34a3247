import { athenaDdl } from '#shared/cli/athena-ddl.ts'
import { examplePartition } from '#shared/cli/example-partition.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import { defineTable, type TableOptions } from '#shared/pipeline/table.ts'
import { always, maybe, timestamp } from '#test/helpers/columns.ts'

const COLUMNS: readonly Column[] = [
  always('seenAt', timestamp('us', true)),
  always('Day', 'date'),
  always('origin', 'string'),
  always('isOld', 'boolean'),
  always('flight', 'int32'),
  maybe('gate', 'string'),
  maybe('landedAt', timestamp('us', true)),
  always('id', 'uuid'),
]
const PREFIX = 's3://lake/prod/tables/t/data/'

const ddl = (partitionBy: TableOptions['partitionBy'], more: TableOptions = {}): string =>
  athenaDdl(
    defineTable('t', COLUMNS, { layout: 'files', ...more, ...(partitionBy && { layout: 'files', partitionBy }) }),
    's3://lake/prod/',
  )

/** The pairs of TBLPROPERTIES. */
const properties = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^ {2}'([^']+)' = '([^']*)'/gm)].map(([, key = '', value = '']) => [key, value]))

test('a table by day: partitions are reckoned, and the paths keep their capitals', () => {
  expect(ddl({ seenAt: 'day' })).toBe(`CREATE EXTERNAL TABLE \`t\` (
  \`seenat\` timestamp,
  \`day\` date,
  \`origin\` string,
  \`isold\` boolean,
  \`flight\` int,
  \`gate\` string,
  \`landedat\` timestamp,
  \`id\` binary,
  \`_epoch\` int,
  \`_kafka_partition\` int,
  \`_offset\` bigint,
  \`_index\` int,
  \`_timestamp\` timestamp
)
PARTITIONED BY (
  \`seenat_day\` string
)
STORED AS PARQUET
LOCATION '${PREFIX}'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.seenat_day.type' = 'date',
  'projection.seenat_day.format' = 'yyyy-MM-dd',
  'projection.seenat_day.range' = '2000-01-01,NOW+1YEARS',
  'projection.seenat_day.interval' = '1',
  'projection.seenat_day.interval.unit' = 'DAYS',
  'storage.location.template' = '${PREFIX}seenAt_day=\${seenat_day}/'
);`)
})

test.each([
  [{ seenAt: 'hour' }, 'seenat_hour', '2026-01-31-10', 'yyyy-MM-dd-HH', 'HOURS'],
  [{ seenAt: 'month' }, 'seenat_month', '2026-01', 'yyyy-MM', 'MONTHS'],
  [{ Day: 'year' }, 'day_year', '2026', 'yyyy', 'YEARS'],
] as const)('%j: the pattern is that of the directories', (partitionBy, name, value, format, unit) => {
  const text = ddl(partitionBy)
  const found = properties(text)
  expect(found).toMatchObject({
    [`projection.${name}.type`]: 'date',
    [`projection.${name}.format`]: format,
    [`projection.${name}.interval.unit`]: unit,
  })
  const path = examplePartition(defineTable('t', COLUMNS, { layout: 'files', partitionBy }).partitionSpec)
  expect(found['storage.location.template']?.replace(`\${${name}}`, value)).toBe(`${PREFIX}${path}/`)
  expect(text).toContain(`\n  \`${name}\` string\n`)
})

test('buckets and booleans are reckoned too; what is an identity partition is no column of the files', () => {
  const text = ddl({ isOld: 'identity', origin: { bucket: 16 } })
  expect(properties(text)).toEqual({
    'projection.enabled': 'true',
    'projection.isold.type': 'enum',
    'projection.isold.values': 'false,true',
    'projection.origin_bucket.type': 'integer',
    'projection.origin_bucket.range': '0,15',
    'storage.location.template': `${PREFIX}isOld=\${isold}/origin_bucket=\${origin_bucket}/`,
  })
  expect(text.match(/`isold`/g)).toHaveLength(1)
  expect(text).toContain('PARTITIONED BY (\n  `isold` boolean,\n  `origin_bucket` int\n)')
})

test.each([
  [{ origin: 'identity' }, "PARTITION (`origin` = 'abc')", 'origin=abc/', '`origin` string'],
  [{ flight: { truncate: 10 } }, "PARTITION (`flight_trunc` = '40')", 'flight_trunc=40/', '`flight_trunc` int'],
  [{ id: 'identity' }, "PARTITION (`id` = '01234567-", 'id=01234567-', '`id` string'],
  // A time that may be null has a partition that no range holds.
  [
    { landedAt: 'day' },
    "PARTITION (`landedat_day` = '2026-01-31')",
    'landedAt_day=2026-01-31/',
    '`landedat_day` string',
  ],
  [
    { seenAt: 'day', gate: { bucket: 4 } },
    "PARTITION (`seenat_day` = '2026-01-31', `gate_bucket` = '",
    'seenAt_day=2026-01-31/gate_bucket=',
    '`gate_bucket` int',
  ],
] as const)('%j: values that cannot be reckoned are added one by one', (partitionBy, partition, directory, column) => {
  const text = ddl(partitionBy)
  expect(text).toContain(column)
  expect(text).not.toContain('TBLPROPERTIES')
  expect(text).toContain('ALTER TABLE `t` ADD IF NOT EXISTS')
  expect(text).toContain(partition)
  expect(text).toContain(`LOCATION '${PREFIX}${directory}`)
})

test('an unpartitioned table', () => {
  expect(ddl(undefined)).toMatch(/\n\)\nSTORED AS PARQUET\nLOCATION 's3:\/\/lake\/prod\/tables\/t\/data\/';$/)
})

test('JSON Lines', () => {
  const text = ddl({ seenAt: 'day' }, { format: 'jsonl.gz' })
  expect(text).toContain("ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'")
  expect(text).toContain('`seenat` string,')
  expect(text).not.toContain('PARQUET')
})

test('names that are no words are quoted and escaped', () => {
  const table = defineTable('t', [always('a`b', 'string'), always("it's", 'string')], {
    layout: 'files',
    partitionBy: { "it's": 'identity' },
  })
  const text = athenaDdl(table, 's3://lake')
  expect(text).toContain('  `a``b` string,')
  expect(text).toContain("PARTITION (`it's` = 'abc') LOCATION 's3://lake/tables/t/data/it%27s=abc/'")
})
