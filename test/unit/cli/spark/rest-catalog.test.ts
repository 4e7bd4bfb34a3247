import { RestCatalog } from '#shared/cli/spark/rest-catalog.ts'
import { parseExact, stringifyExact } from '#shared/lake/iceberg/exact-json.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { OpenCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { currentSnapshot, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

let store: MemoryStore
let tables: OpenCatalog
let table: LakeTable
let rest: RestCatalog
/** Done before a commit of Spark's is put, once. */
let meanwhile: (() => Promise<void>) | undefined
beforeEach(async () => {
  store = new MemoryStore()
  tables = openCatalog('directory', store)
  table = await LakeTable.applied(store, sensors)
  await land(0)
  meanwhile = undefined
  const { catalog } = tables
  const racing: OpenCatalog['catalog'] = {
    load: (name) => catalog.load(name),
    create: (name, metadata) => catalog.create(name, metadata),
    commit: async (name, base, metadata) => {
      const first = meanwhile
      meanwhile = undefined
      await first?.()
      return catalog.commit(name, base, metadata)
    },
  }
  rest = await RestCatalog.start({ ...tables, catalog: racing }, { now: Date.now })
})
afterEach(() => rest.stop())

async function land(offset: number): Promise<void> {
  await deliver(store, sensors, sensorEvent([reading(1), reading(2)], 0, offset))
  await table.commit()
}

interface Reply {
  readonly status: number
  readonly body: { readonly metadata?: TableMetadata; readonly error?: { readonly type: string } }
}

async function ask(path: string, body?: object): Promise<Reply> {
  const request = body === undefined ? {} : { method: 'POST', body: stringifyExact(body) }
  const response = await fetch(`${rest.uri}${path}`, request)
  return { status: response.status, body: parseExact(await response.text()) as Reply['body'] }
}

const TABLE = '/v1/namespaces/tables/tables/sensors'

/** What Spark asks for when it has rewritten files on top of a version. */
function replacing(base: TableMetadata, id: bigint): object {
  const parent = currentSnapshot(base)
  if (parent === undefined) throw new Error('no snapshot')
  const snapshot = {
    ...parent,
    'snapshot-id': id,
    'parent-snapshot-id': parent['snapshot-id'],
    'sequence-number': base['last-sequence-number'] + 1,
    summary: { operation: 'replace' },
  }
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: base['table-uuid'] },
      { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': parent['snapshot-id'] },
    ],
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id },
    ],
  }
}

/** Of more bits than a double has. */
const ID = 8_123_456_789_012_345_677n

test('a snapshot of Spark follows the current one, with the marks that the table has', async () => {
  const base = await table.metadata()
  expect(await ask(TABLE, replacing(base, ID))).toMatchObject({ status: 200 })
  const after = await table.metadata()
  expect(currentSnapshot(after)?.['snapshot-id']).toBe(ID)
  expect(after.refs['main']?.['snapshot-id']).toBe(ID)
  expect(after['snapshot-log'].at(-1)?.['snapshot-id']).toBe(ID)
  expect(after['last-sequence-number']).toBe(base['last-sequence-number'] + 1)
  expect(after.properties).toEqual(base.properties)
  await land(2)
  expect((await table.metadata()).snapshots).toHaveLength(3)
})

test('one that was made of an older version is refused, also when that is seen at the swap only', async () => {
  const base = await table.metadata()
  meanwhile = () => land(2)
  const late = await ask(TABLE, replacing(base, ID))
  expect(late).toMatchObject({ status: 409, body: { error: { type: 'CommitFailedException' } } })
  expect(await ask(TABLE, replacing(base, ID))).toMatchObject({ status: 409 })
  const after = await table.metadata()
  expect(after.snapshots).toHaveLength(2)
  expect(after.snapshots.map((snapshot) => snapshot['snapshot-id'])).not.toContain(ID)
  expect(await ask(TABLE, replacing(after, ID))).toMatchObject({ status: 200 })
})

test('what does not hang on the snapshot survives a lost race; a number that is taken does not', async () => {
  const base = await table.metadata()
  meanwhile = () => land(2)
  const set = { requirements: [], updates: [{ action: 'set-properties', updates: { owner: 'lab' } }] }
  expect(await ask(TABLE, set)).toMatchObject({ status: 200 })
  expect((await table.metadata()).properties['owner']).toBe('lab')
  expect((await table.metadata()).snapshots).toHaveLength(2)
  for (const requirement of [
    { type: 'assert-create' },
    { type: 'assert-table-uuid', uuid: 'another' },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': base['current-snapshot-id'] },
    { type: 'assert-current-schema-id', 'current-schema-id': 7 },
  ])
    expect(await ask(TABLE, { ...set, requirements: [requirement] })).toMatchObject({ status: 409 })
  const { updates } = replacing(base, ID) as { updates: object[] }
  expect(await ask(TABLE, { requirements: [], updates })).toMatchObject({ status: 409 })
  const unset = { requirements: [], updates: [{ action: 'remove-properties', removals: ['owner'] }] }
  expect(await ask(TABLE, unset)).toMatchObject({ status: 200 })
  expect((await table.metadata()).properties).not.toHaveProperty('owner')
})

test('snapshots are removed with what the log of them says; never the current one', async () => {
  await land(2)
  await land(4)
  const { snapshots } = await table.metadata()
  const [first, , last] = snapshots.map((snapshot) => snapshot['snapshot-id'])
  const remove = (id: unknown): object => ({
    requirements: [],
    updates: [{ action: 'remove-snapshots', 'snapshot-ids': [id] }],
  })
  expect(await ask(TABLE, remove(last))).toMatchObject({ status: 409 })
  expect(await ask(TABLE, remove(first))).toMatchObject({ status: 200 })
  const after = await table.metadata()
  expect(after.snapshots).toEqual(snapshots.slice(1))
  expect(after['snapshot-log'].map((entry) => entry['snapshot-id'])).not.toContain(first)
})

test('a table is made once, in its folder of the lake', async () => {
  const schema = {
    type: 'struct',
    fields: [{ id: 0, name: 'window_start', required: false, type: 'timestamptz' }],
  }
  const spec = { 'spec-id': 0, fields: [{ 'source-id': 0, name: 'window_start', transform: 'identity' }] }
  const create = { name: 'totals', schema, 'partition-spec': spec, 'stage-create': false, properties: { a: 'b' } }
  const made = await ask('/v1/namespaces/tables/tables', create)
  expect(made).toMatchObject({ status: 200, body: { metadata: { 'last-partition-id': 1000, 'last-column-id': 0 } } })
  const loaded = await tables.catalog.load('totals')
  expect(loaded?.metadata.location).toBe(await tables.locationOf('totals'))
  expect(loaded?.metadata.properties).toEqual({ a: 'b' })
  expect(await ask('/v1/namespaces/tables/tables', create)).toMatchObject({
    status: 409,
    body: { error: { type: 'AlreadyExistsException' } },
  })
  expect(await ask('/v1/namespaces/tables/tables', { ...create, name: '../totals' })).toMatchObject({ status: 400 })
})

test('what it does not know is said to be so, and nobody is let in who does not know its path', async () => {
  expect(await ask('/v1/config')).toMatchObject({ status: 200 })
  expect(await ask(TABLE)).toMatchObject({
    status: 200,
    body: { metadata: { 'table-uuid': expect.any(String) as string } },
  })
  expect(await ask('/v1/namespaces/tables/tables/none')).toMatchObject({
    status: 404,
    body: { error: { type: 'NoSuchTableException' } },
  })
  // The metadata table of a table that Spark looks for in a catalog first.
  expect(await ask('/v1/namespaces/tables%1Fsensors/tables/refs')).toMatchObject({
    body: { error: { type: 'NoSuchTableException' } },
  })
  expect(await ask('/v1/namespaces/others')).toMatchObject({ body: { error: { type: 'NoSuchNamespaceException' } } })
  const unknown = { requirements: [], updates: [{ action: 'add-schema', schema: {} }] }
  expect(await ask(TABLE, unknown)).toMatchObject({ status: 400 })
  const { origin } = new URL(rest.uri)
  expect((await fetch(`${origin}${TABLE}`)).status).toBe(404)
})
