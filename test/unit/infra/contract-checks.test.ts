import * as z from 'zod'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import { columnsOf } from '#shared/pipeline/row-columns.ts'
import { AUDIT_COLUMNS } from '#shared/pipeline/columns.ts'
import { NO_LOCK, type TableLock } from '#shared/pipeline/table-lock.ts'
import { contractFaults } from '../../../infra/contract-checks.ts'
import { TABLES, tablesProperties } from '../../../infra/custom-resources.ts'
import type { Template } from '../../../infra/template.ts'

type Row = z.ZodObject

const next = (row: Row, before: TableLock = NO_LOCK) =>
  lockFor({ columns: [...columnsOf(row), ...AUDIT_COLUMNS], partitionSpec: [] }, before)

const meters = (row: Row, lock: unknown): Pipeline =>
  definePipeline({
    name: 'meters',
    topic: 'meters',
    event: z.object({}),
    row,
    transform: () => null,
    lake: { table: 'meters', lock },
  })

const deployed = (pipeline: Pipeline): Template => ({
  Resources: { MetersTables: { Type: TABLES, Properties: tablesProperties(pipeline) ?? {} } },
})

const faults = (pipeline: Pipeline, before: Pipeline) =>
  contractFaults([pipeline], deployed(before)).map(({ reason }) => reason)

const V1 = z.object({ at: z.int32(), place: z.string() })
const LOCK1 = next(V1)
const v1 = meters(V1, LOCK1)

test('a table goes on with its lock: the same, with a new column, without one, wider, under another name, optional', () => {
  expect(faults(v1, v1)).toEqual([])
  const rows = [
    z.object({ at: z.int32(), place: z.string(), more: z.number().nullable() }),
    z.object({ at: z.int32() }),
    z.object({ at: z.int(), place: z.string().nullable() }),
    z.object({ at: z.int32(), site: z.string().meta({ aliases: ['place'] }) }),
  ]
  for (const row of rows) expect(faults(meters(row, next(row, LOCK1)), v1)).toEqual([])
})

test('several revisions may lie between, and what came and went in them', () => {
  const V2 = z.object({ at: z.int32(), site: z.string().meta({ aliases: ['place'] }), fleeting: z.string().nullable() })
  const V3 = z.object({ at: z.int32(), site: z.string().meta({ aliases: ['place'] }), late: z.string().nullable() })
  const V4 = z.object({ at: z.int32(), late: z.string().nullable() })
  const lock3 = next(V3, next(V2, LOCK1))
  expect(faults(meters(V3, lock3), v1)).toEqual([])
  expect(faults(meters(V4, next(V4, lock3)), v1)).toEqual([])
})

test('code that is rolled back brings its older lock along', () => {
  const V2 = z.object({ at: z.int(), site: z.string().meta({ aliases: ['place'] }), more: z.string().nullable() })
  expect(faults(v1, meters(V2, next(V2, LOCK1)))).toEqual([])
})

test('a lock that was made anew gives ids to others, and the difference is named', () => {
  const V2 = z.object({ place: z.string(), at: z.int32() })
  expect(faults(meters(V2, next(V2)), v1)).toEqual([
    expect.stringMatching(/^table meters: field 1 is "at" in one lock, and "place" in the one after it$/),
  ])
})

test('a type that the table cannot take, though the lock file says otherwise', () => {
  const V2 = z.object({ at: z.string(), place: z.string() })
  expect(faults(meters(V2, next(V2)), v1)).toEqual([
    expect.stringMatching(/"at" is int32 in the table and cannot become string/),
  ])
})

test('a column that readers may find null cannot be required again', () => {
  const V2 = z.object({ at: z.int32().nullable(), place: z.string() })
  const before = meters(V2, next(V2, LOCK1))
  const strict = { ...LOCK1, revision: 3 }
  expect(faults(meters(V1, strict), before)).toEqual([
    expect.stringMatching(/"at" may be null in the table, and is required in the lock/),
  ])
})

test('an id that a lock has lost', () => {
  const V2 = z.object({ at: z.int32() })
  const lock = next(V2, LOCK1)
  expect(faults(meters(V2, { ...lock, retired: [] }), v1)).toEqual([
    expect.stringMatching(/has "place" as field 2, and the one after it does not know it/),
  ])
})

test('another partition spec under the id of the one before', () => {
  const [spec] = LOCK1.specs
  const fields = [{ id: 1000, source: 2, transform: 'identity', name: 'place' }]
  const before = { ...LOCK1, specs: [{ id: spec?.id ?? 0, fields }], lastPartitionId: 1000 }
  const template: Template = {
    Resources: { T: { Type: TABLES, Properties: { Tables: [{ Table: 'meters', Lock: JSON.stringify(before) }] } } },
  }
  const [fault] = contractFaults([v1], template)
  expect(fault?.reason).toMatch(/its partition spec 0 is another one in its lock/)
})

test('plain files in the place of an Iceberg table; another table is none of its business', () => {
  const { row, event } = v1
  const lake = { table: 'meters', layout: 'files' } as const
  const files = definePipeline({ name: 'meters', topic: 'meters', event, row, transform: () => null, lake })
  expect(faults(files, v1)[0]).toMatch(/an Iceberg table where it is deployed, and plain files here/)
  expect(contractFaults([v1], { Resources: {} })).toEqual([])
})
