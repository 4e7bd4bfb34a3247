import * as z from 'zod'
import { describePage } from '#shared/cli/describe-page.ts'
import { describePipeline } from '#shared/cli/describe.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { defineTrigger, type TriggerOptions } from '#shared/pipeline/trigger.ts'
import { measurements } from '#test/fixtures/measurements.ts'
import { withJobs } from '#test/helpers/job-lake.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'
import { sensors } from '#test/helpers/sensors.ts'

const declaration = {
  name: 'times',
  topic: 'times',
  event: z.object({ at: z.iso.datetime() }),
  row: z.object({ at: z.date().meta({ column: 'timestamp_ms' }).nullable() }),
  transform: ({ value }: { value: { at: string } }) => ({ at: new Date(value.at) }),
  tombstones: 'row',
  lake: { table: 'times', layout: 'files', keep: ['key'] },
} as const
const times = definePipeline(declaration)

test('the scores of rows: who is asked, how, and where the answers go', () => {
  const parts = {
    endpoint: 'grades',
    features: () => [1],
    into: { grade: 'label' },
    onUnavailable: 'null',
    timeoutMs: 500,
  }
  const scored = scoredSensors({ variant: 'blue', batch: { rows: 20 } }, {}, { grade: parts })
  const description = describePipeline(scored, 's3://lake')
  expect(description.scores).toEqual([
    {
      name: 'risk',
      endpoint: 'sensor-risk',
      variant: 'blue',
      model: null,
      inferenceComponent: null,
      contentType: 'text/csv',
      into: [{ column: 'risk', part: null }],
      modelVersionInto: 'model',
      reasonInto: 'why',
      maxRows: 20,
      maxBytes: 6_000_000,
      timeoutMs: 10_000,
      onUnavailable: 'defer',
    },
    expect.objectContaining({ name: 'grade', into: [{ column: 'grade', part: 'label' }], reasonInto: null }),
  ])
  const page = describePage(description)
  expect(page).toMatch(/\nScores\n\n {2}score +asks +in requests of +into +while it is away\n/)
  expect(page).toMatch(
    /\n {2}risk +sensor-risk, variant blue +text\/csv, 20 rows, 6\.0 MB, 10 s +risk, model, why +rows wait, and are scored later\n/,
  )
  expect(page).toMatch(
    /\n {2}grade +grades +text\/csv, 500 rows, 6\.0 MB, 0\.5 s +grade \("label"\) +rows have none, for good\n/,
  )
  expect(describePage(describePipeline(sensors, 's3://lake'))).not.toContain('\nScores\n')
})

test('what a declaration means, as data', () => {
  const description = describePipeline(sensors, 's3://lake/prod')
  expect(description).toMatchObject({
    name: 'sensors',
    topic: 'sensors',
    version: sensors.version,
    event: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { sensor: { type: 'string' }, at: { type: 'string', format: 'date-time' } },
      required: ['sensor', 'at', 'value'],
    },
    policies: { tombstones: 'skip', unknownKeys: 'strip', keep: [] },
    trigger: { mode: 'on-demand', batchSize: 10_000, batchingWindowSeconds: 5, filters: [] },
    table: {
      name: 'sensors',
      format: 'parquet',
      partitions: [{ name: 'at_day', column: 'at', transform: 'day' }],
      examplePath: 'tables/sensors/data/at_day=2026-01-31/….parquet',
      athenaDdl: expect.stringContaining("LOCATION 's3://lake/prod/tables/sensors/data/'"),
    },
    deadLetters: {
      name: 'sensors_dead_letters',
      partitions: [{ name: '_timestamp_day', column: '_timestamp', transform: 'day' }],
      athenaDdl: expect.stringContaining('CREATE EXTERNAL TABLE `sensors_dead_letters`'),
    },
  })
  expect(description.table.columns[1]).toEqual({
    name: 'at',
    nullable: false,
    type: 'timestamp',
    parquet: 'INT64 TIMESTAMP(MICROS, UTC)',
    json: null,
    iceberg: 'timestamptz',
    athena: 'timestamp',
  })
  expect(description.table.columns).toHaveLength(sensors.table.columns.length)
})

test.each([
  [undefined, ['lambda', 'container']],
  [4_400_000, ['lambda', 'container']],
  [4_400_001, ['container']],
])('max.message.bytes of %s: %o can bring its records', (maxMessageBytes, runtimes) => {
  const topicSettings = maxMessageBytes === undefined ? {} : { maxMessageBytes }
  const description = describePipeline(definePipeline({ ...declaration, topicSettings }), 's3://lake')
  expect(description.runtimes).toEqual(runtimes)
  expect(describePage(description).includes('this topic is declared to take larger ones')).toBe(runtimes.length === 1)
})

test('a page for people: contract, types, partitions, policies, limits, DDL and its caveat', () => {
  const page = describePage(describePipeline(sensors, 's3://lake'))
  expect(page).toMatch(/^pipeline sensors, of topic sensors into table sensors \(version [0-9a-f]+\)\n/)
  expect(page).toMatch(/\n {2}at +string +ISO 8601 datetime\n {2}value +number +yes\n/)
  expect(page).toMatch(/\n {2}_offset +int64 +INT64 +long +bigint\n/)
  expect(page).toMatch(/\n {2}at_day +day +at\n\n {2}as tables\/sensors\/data\/at_day=2026-01-31\//)
  expect(page).toContain('tombstones     skipped, and counted')
  expect(page).toContain('unknown keys   dropped before the transform')
  expect(page).toContain('Dead letters: sensors_dead_letters')
  for (const limit of ['1 to 10,000 records, collected for 0 to 300 s', 'at most 14 minutes', '1 MiB, up to 8 MiB'])
    expect(page).toContain(limit)
  expect(page).toContain('A record above about 4.4 MB cannot come through Lambda')
  expect(page).toMatch(/CREATE EXTERNAL TABLE `sensors`[^]*that no commit names, until "vacuum" has deleted them\.$/)
  expect(page).not.toContain("Iceberg's version 2")
})

test('a type that Iceberg has not is said to be one', () => {
  const page = describePage(describePipeline(times, 's3://lake'))
  expect(page).toMatch(/\n {2}at +yes +timestamp_ms +INT64 TIMESTAMP\(MILLIS, UTC\) +none +timestamp\n/)
  expect(page).toContain("at: Iceberg's version 2 has no timestamp in milliseconds")
  expect(page).toContain('tombstones     a row whose contract columns are all null; its key is in _key')
})

test('JSON Lines have types of JSON, and none of Iceberg', () => {
  const description = describePipeline(measurements, 's3://lake')
  expect(description.table.columns.every(({ parquet, iceberg }) => parquet === null && iceberg === null)).toBe(true)
  expect(description.deadLetters.format).toBe('parquet')
  const page = describePage(description)
  expect(page).toMatch(/column +nullable +type +JSON +Glue and Athena\n/)
  expect(page).toContain('Iceberg tables hold Parquet, not JSON Lines.')
  expect(page).toContain('tombstones     a dead letter in measurements_dead_letters')
  expect(page).toContain('unknown keys   a dead letter in measurements_dead_letters')
  expect(page).toContain('kept parts     key, headers, timestampType')
  expect(page).toContain('tables/measurements/data/….jsonl.zst')
})

describe('the trigger, in a few lines', () => {
  const lines = (trigger: TriggerOptions): string =>
    describePage(describePipeline({ ...sensors, trigger: defineTrigger(trigger) }, 's3://lake'))
      .split('\n\n\n')
      .find((section) => section.startsWith('Trigger\n')) ?? ''

  test('as it is by default', () => {
    expect(lines({})).toBe(`Trigger

  pollers        on-demand
  batches        up to 10,000 records, collected for 5 s
  begins         at the oldest record, as a new consumer group
  failures       the whole batch again, until it succeeds
  filters        none`)
  })

  test('with everything that can be declared', () => {
    const trigger = {
      mode: 'provisioned',
      batchSize: 1,
      batchingWindowSeconds: 0,
      startingPosition: new Date(0),
      maximumRetryAttempts: 1,
      maximumRecordAgeSeconds: 3600,
      bisectBatchOnError: true,
      failureDestination: 's3://failed',
      filters: [{ value: ['a'] }, { value: { b: [1] } }],
      consumerGroup: 'sink',
      schemaRegistry: { uri: 'https://schemas.example' },
    } as const
    expect(lines(trigger)).toBe(`Trigger

  pollers        provisioned, 1 to 200
  batches        up to 1 record, collected for 0 s
  begins         at 1970-01-01T00:00:00.000Z, as the consumer group sink, or behind what that has read
  failures       the records that failed again, in halves after an error, at most 1 time, until they are 3,600 s old; then into s3://failed
  schemas        VALUE of each record, by https://schemas.example
  filters        {"value":["a"]} or {"value":{"b":[1]}}`)
  })

  test('the container is no way out where only Lambda can decode', () => {
    const registry = { mode: 'provisioned', schemaRegistry: { uri: 'https://schemas.example' } } as const
    const described = describePipeline({ ...sensors, trigger: defineTrigger(registry) }, 's3://lake')
    expect(described.runtimes).toEqual(['lambda'])
    expect(describePage(described)).toContain('so that the container cannot take its place')
  })

  test('what is lost is said to be', () => {
    expect(lines({ mode: 'provisioned', maximumRetryAttempts: 0 })).toContain('at most 0 times; then they are lost')
    expect(lines({ failureDestination: 's3://failed' })).toContain('again, at most 10 times; then into s3://failed')
    expect(lines({ startingPosition: 'LATEST' })).toMatch(/\n {2}begins +behind the newest record,/)
  })
})

test('jobs, and when partitions are complete for them', () => {
  const pipeline = withJobs({ compact: { glue: 'compact', when: { partitionComplete: '10 minutes' } } })
  const description = describePipeline(pipeline, 's3://lake')
  expect(description).toMatchObject({ jobs: [{ name: 'compact' }], completeness: { idleMs: 900_000 } })
  const page = describePage(description)
  expect(page).toMatch(
    /\nJobs\n\n[^]*compact +Glue job compact +a partition is complete, and 10 min more; again after 1 late/,
  )
  expect(page).toContain('or silent for 15 min.')
  expect(describePage(describePipeline(sensors, 's3://lake'))).not.toContain('\nJobs\n')
})
