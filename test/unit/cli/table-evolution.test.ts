import * as z from 'zod'
import { planTable } from '#shared/cli/table-plan.ts'
import { answerSql } from '#shared/cli/sql.ts'
import { listFiles } from '#shared/cli/table-files-list.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { manifestsOf } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot, withProperties } from '#shared/lake/iceberg/table-metadata.ts'
import { pipelineTables } from '#shared/lake/pipeline-tables.ts'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { FIRST, firstEvent, SECOND, secondEvent, stations, withNextLock } from '#test/helpers/measuring-stations.ts'
import { sensorEvent } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const first = withNextLock(FIRST)
const second = withNextLock(SECOND, first.table.lock)
let store: DirectoryStore

beforeEach(() => {
  store = new DirectoryStore(directory())
})

const plan = async (pipeline: typeof first): Promise<string[]> => {
  const [table] = pipelineTables(pipeline)
  if (table === undefined) throw new Error('no tables')
  const { changes, refused } = await planTable(new LakeTable(store, pipeline).surroundings, table)
  return refused === null ? changes.map(({ text }) => text) : [refused]
}

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  const { columns, rows: found } = await answerSql(sql, store)
  return found.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])))
}

const ALL = 'SELECT * EXCLUDE (_epoch, _kafka_partition, _offset, _index, _timestamp) FROM stations ORDER BY _offset'

test('every change that a table can take, with files from before it, and from before there was a lock', async () => {
  const table = new LakeTable(store, first)
  expect(await plan(first)).toEqual(['create it with 15 columns, partitioned by zone, day of at'])
  await table.apply()
  // Without ids; under the first lock; under the first lock but not yet in the table when it changes.
  await deliver(store, FIRST({ layout: 'files' }), sensorEvent([firstEvent(1)]))
  await deliver(store, first, sensorEvent([firstEvent(2)], 0, 1))
  await table.commit()
  await deliver(store, first, sensorEvent([firstEvent(3), firstEvent(4)], 0, 2))
  const before = await rows(ALL)

  expect(await plan(second)).toEqual([
    'rename "place.tag" to "place.note"',
    'add "place.extra" (boolean)',
    'widen "place.lat" from float to double',
    'rename "at" to "moment"',
    'widen "id" from int to long',
    'widen "ratio" from float to double',
    'widen "price" from decimal(9,2) to decimal(12,2)',
    'rename "name" to "label"',
    'let "label" be null',
    'rename "tags.element.k" to "tags.element.kk"',
    'widen "tags.element.kk" from int to long',
    'rename "m.value.a" to "m.value.b"',
    'widen "m.value.b" from int to long',
    'widen "zone" from int to long',
    'add "added" (string)',
    'retire "gone": files keep its values, queries do not show it',
    'reorder the fields: place, moment, id, ratio, price, label, tags, m, zone, added',
    'reorder the fields within "place": note, extra, lat',
    'have new files partitioned by day of moment, bucket[4] of id (spec 1), in place of partitioned by zone, day of at',
  ])
  expect(await table.apply(second.table.lock)).toBe('changed')
  expect(await plan(second)).toEqual([])
  // Code that has been rolled back changes nothing, and goes on.
  expect(await plan(first)).toEqual([])
  expect(await table.apply()).toBe('unchanged')
  const evolved = new LakeTable(store, second)
  await deliver(store, second, sensorEvent([secondEvent(5)], 0, 4))
  expect(await evolved.commit()).toMatchObject({ entries: 2, rows: 3 })

  expect(before).toHaveLength(2)
  const old = (id: number): object => ({
    place: { note: 't', extra: null, lat: 1.5 },
    moment: '2026-01-05 10:00:00+00',
    id: String(id),
    ratio: id + 0.5,
    price: `${id}.25`,
    label: `n${id}`,
    tags: [{ kk: String(id) }],
    zone: String(id % 2),
    added: null,
    m: [
      { key: 'x', value: { b: String(id) } },
      { key: 'y', value: { b: null } },
    ],
  })
  expect(await rows(ALL)).toEqual([
    ...[1, 2, 3, 4].map(old),
    {
      place: { note: 'u', extra: true, lat: 0.1 },
      moment: '2026-01-06 10:00:00+00',
      id: '5',
      ratio: 0.1,
      price: '1234567890.25',
      label: null,
      tags: [],
      zone: '5000000000',
      added: 'new',
      m: [],
    },
  ])
  expect((await rows('DESCRIBE stations')).slice(0, 10).map(({ column_type }) => column_type)).toEqual([
    'STRUCT(note VARCHAR, extra BOOLEAN, lat DOUBLE)',
    'TIMESTAMP WITH TIME ZONE',
    'BIGINT',
    'DOUBLE',
    'DECIMAL(12,2)',
    'VARCHAR',
    'STRUCT(kk BIGINT)[]',
    'MAP(VARCHAR, STRUCT(b BIGINT))',
    'BIGINT',
    'VARCHAR',
  ])
  // The past has the columns that it had.
  const [snapshot] = (await evolved.metadata()).snapshots
  const past = await answerSql(ALL, store, { at: String(snapshot?.['snapshot-id']) })
  expect(past.columns.slice(0, 4)).toEqual(['id', 'ratio', 'price', 'name'])
  expect(past.rows).toHaveLength(2)
})

test('fields that change nothing but their names, or their order, within others', async () => {
  const [s, t] = [z.string(), z.string()]
  const before = stations(z.object({ at: z.date(), p: z.object({ s, t }), l: z.array(z.object({ s, t })) }), {})
  const swapped = z.object({ t: z.string(), u: z.string().meta({ alias: 's' }) })
  const after = stations(z.object({ at: z.date(), p: swapped, l: z.array(swapped) }), {})
  const old = withNextLock(before)
  const table = await LakeTable.applied(store, old)
  const event = { at: '2026-01-05T10:00:00Z', p: { s: '1', t: '2' }, l: [{ s: '3', t: '4' }] }
  await deliver(store, old, sensorEvent([JSON.stringify(event)]))
  await table.commit()
  await table.apply(withNextLock(after, old.table.lock).table.lock)
  expect((await answerSql('SELECT p, l FROM stations', store)).rows).toEqual([
    [{ t: '2', u: '1' }, [{ t: '4', u: '3' }]],
  ])
})

test('manifests from before a change are merged with newer ones, and list the same files', async () => {
  const table = await LakeTable.applied(store, first)
  await deliver(store, first, sensorEvent([firstEvent(1)]))
  await table.commit()
  await table.apply(second.table.lock)
  const base = await table.catalog.load('stations')
  if (base === undefined) throw new Error('no table')
  const properties = { 'commit.manifest.min-count-to-merge': '2' }
  await table.catalog.commit('stations', base, withProperties(base.metadata, properties, 0))
  await deliver(store, first, sensorEvent([firstEvent(2)], 0, 1))
  const evolved = new LakeTable(store, second)
  await evolved.commit()
  const metadata = await evolved.metadata()
  const located = evolved.surroundings.tables.filesAt(metadata.location)
  const snapshot = currentSnapshot(metadata)
  expect(snapshot && (await manifestsOf(snapshot, (uri) => located.read(uri)))).toHaveLength(1)
  const listed = await listFiles({ ...evolved.surroundings, name: 'stations', metadata }, undefined)
  const day = '2026-01-05'
  expect(listed.map(({ partition, rows: count }) => ({ ...partition, count }))).toEqual([
    { zone: '0', at_day: day, count: 1 },
    { zone: '1', at_day: day, count: 1 },
  ])
  expect((await rows(ALL)).map(({ zone, moment }) => [zone, moment])).toEqual([
    ['1', `${day} 10:00:00+00`],
    ['0', `${day} 10:00:00+00`],
  ])
})

test('old names and new ones are in the name mapping', async () => {
  const table = await LakeTable.applied(store, first)
  await table.apply(second.table.lock)
  const mapping = JSON.parse((await table.metadata()).properties['schema.name-mapping.default'] ?? '') as object[]
  expect(mapping).toContainEqual({ 'field-id': 4, names: ['label', 'name'] })
  // What is gone, too: pyiceberg and DuckDB stumble over names of a file that it does not have.
  expect(mapping).toContainEqual({ 'field-id': 17, names: ['gone'] })
  expect(mapping).toContainEqual(
    expect.objectContaining({
      names: ['place'],
      fields: expect.arrayContaining([{ 'field-id': 7, names: ['note', 'tag'] }]),
    }),
  )
})

test.each([
  [z.object({ id: z.string() }), '"id" is int32 in the table and cannot become string'],
  [z.object({ id: z.float32() }), '"id" is int32 in the table and cannot become float'],
  [
    z.object({ price: z.string().meta({ column: 'decimal(12,3)' }) }),
    'decimal(9,2) in the table and cannot become decimal(12,3)',
  ],
  [z.object({ place: z.array(z.string()) }), '"place" is struct in the table and cannot become list'],
])('an incompatible contract is refused before anything is written %#', async (change, message) => {
  await LakeTable.applied(store, first)
  const keys = await keysOf(store, '')
  const shape = FIRST({ layout: 'files' }).row.shape
  const declare = stations(z.object({ ...shape, ...change.shape }), { zone: 'identity', at: 'day' })
  expect(() => declare({ lock: first.table.lock })).toThrow(message)
  expect(() => declare({ lock: first.table.lock })).toThrow('Only int32 may become int64, float double, and a decimal')
  expect(() => lockFor(declare({ layout: 'files' }).table, first.table.lock)).toThrow(message)
  expect(await keysOf(store, '')).toEqual(keys)
})

test('a table that something else has given a column is refused, and left as it is', async () => {
  const table = await LakeTable.applied(store, first)
  const base = await table.catalog.load('stations')
  if (base === undefined) throw new Error('no table')
  const [schema] = base.metadata.schemas
  const theirs = { id: 99, name: 'theirs', required: false, type: 'string' }
  await table.catalog.commit('stations', base, {
    ...base.metadata,
    'last-column-id': 99,
    schemas: [{ 'schema-id': 0, type: 'struct', fields: [...(schema?.fields ?? []), theirs] }],
  })
  const keys = await keysOf(store, '')
  expect(await plan(second)).toEqual([expect.stringContaining('its column "theirs" (field 99) is not in the lock')])
  await expect(table.apply(second.table.lock)).rejects.toMatchObject({ code: 'TABLE_CHANGED' })
  expect(await keysOf(store, '')).toEqual(keys)
})
