import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { answerSql } from '#shared/cli/sql.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { currentSnapshot, parseMetadata, type Snapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { vacuumMetadata } from '#shared/lake/iceberg/vacuum-metadata.ts'
import { rollbackTable } from '#shared/lake/lake-tables.ts'
import { vacuum } from '#shared/lake/vacuum.ts'
import { provenTables, type SnapshotProof } from '#shared/lake/verify/snapshot-proof.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { type IcebergDuckDB, openIcebergDuckDB } from '#test/helpers/duckdb-iceberg.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { icebergPython } from '#test/helpers/pyiceberg.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { range } from '#test/helpers/slices.ts'
import { Spark, SPARK_TIMEOUT_MS } from '#test/helpers/spark.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const PYICEBERG = path.join(import.meta.dirname, 'pyiceberg-rows.py')
const KAFKA_PARTITIONS = 3
/** Records of one Kafka partition that a round lands, in two slices: a commit and an amendment. */
const ROUND = 60

let spark: Spark
let python: string
let duckdb: IcebergDuckDB
beforeAll(async () => {
  python = await icebergPython()
  duckdb = await openIcebergDuckDB(path.dirname(path.dirname(python)))
  spark = await Spark.start()
}, SPARK_TIMEOUT_MS + VENV_TIMEOUT_MS)
afterAll(async () => {
  duckdb.close()
  await spark.stop()
})

/** A lake of its own for each test, in Spark's warehouse; its table, and its names in Spark. */
let lakes = 0
let store: DirectoryStore
let table: LakeTable
let name: string
/** Where each row comes from → its value: what the table must hold. */
let expected: Map<string, number | null>
let next: number
beforeEach(async () => {
  const lake = `lake_${++lakes}`
  store = new DirectoryStore(path.join(spark.warehouse, lake))
  table = new LakeTable(store, sensors)
  name = `${lake}.tables.sensors`
  await table.apply()
  ;[expected, next] = [new Map(), 0]
})

const rowKey = (epoch: unknown, partition: unknown, offset: unknown, index: unknown): string =>
  `${Number(epoch)}/${Number(partition)}@${Number(offset)}.${Number(index)}`

/** Readings over four days, some of them missing, skipped, or of two rows, which the table must hold from now on. */
function readingAt(partition: number, offset: number): string {
  const value = 10_000 * (partition + 1) + offset + 0.5
  const kinds = [0, -value, null, value, value, value]
  const kind = kinds[offset % kinds.length] ?? null
  if (kind !== 0) expected.set(rowKey(0, partition, offset, 0), kind)
  if (kind !== null && kind < 0) expected.set(rowKey(0, partition, offset, 1), -kind)
  return reading(kind, `2026-01-0${1 + (Math.floor(offset / 7) % 4)}`)
}

/** Lands a round of every Kafka partition. The first half of each comes after the second, as an amendment. */
async function land(): Promise<void> {
  for (let partition = 0; partition < KAFKA_PARTITIONS; partition++) {
    for (const first of [next + ROUND / 2, next]) {
      const values = range(first, first + ROUND / 2 - 1).map((offset) => readingAt(partition, offset))
      await deliver(store, sensors, sensorEvent(values, partition, first))
    }
  }
  next += ROUND
}

/** What an engine finds: how many rows it counts, and the rows. */
interface Found {
  readonly count: number
  readonly rows: readonly (readonly unknown[])[]
}

const COLUMNS = ['_epoch', '_kafka_partition', '_offset', '_index', 'value']
const SELECTED = COLUMNS.join(', ')

const pyiceberg = async (request: object): Promise<Found & { metadata: string }> => {
  const metadata = (await table.catalog.load('sensors'))?.location
  const running = promisify(execFile)(python, [PYICEBERG], { maxBuffer: 100_000_000 })
  running.child.stdin?.end(JSON.stringify({ metadata, columns: COLUMNS, ...request }))
  return JSON.parse((await running).stdout) as Found & { metadata: string }
}

const READERS: Readonly<Record<string, () => Promise<Found>>> = {
  Spark: async () => {
    const { rows } = await spark.ask(`SELECT ${SELECTED} FROM lake.${name}`)
    return { count: Number((await spark.ask(`SELECT count(*) FROM lake.${name}`)).rows[0]?.[0]), rows }
  },
  pyiceberg: () => pyiceberg({}),
  DuckDB: async () => {
    const scan = `iceberg_scan('${(await table.metadata()).location}')`
    const [counted] = await duckdb.ask(`SELECT count(*)::INT AS count FROM ${scan}`)
    return {
      count: Number(counted?.['count']),
      rows: (await duckdb.ask(`SELECT ${SELECTED} FROM ${scan}`)).map((row) => COLUMNS.map((column) => row[column])),
    }
  },
  Inlet: async () => {
    const { rows, notes } = await answerSql(`SELECT ${SELECTED} FROM sensors`, store)
    expect(notes).toEqual([])
    return { count: Number((await answerSql('SELECT count(*) FROM sensors', store)).rows[0]?.[0]), rows }
  },
}

/** Every engine finds every row once, with its value; and Spark sees the very files that we see. */
async function expectAgreement(): Promise<void> {
  const wanted = [...expected].map(([key, value]) => `${key} = ${value}`).sort()
  for (const [engine, read] of Object.entries(READERS)) {
    const { count, rows } = await read()
    const found = rows.map(([epoch, partition, offset, index, value]) => {
      return `${rowKey(epoch, partition, offset, index)} = ${value === null ? null : Number(value)}`
    })
    expect({ engine, rows: found.sort() }).toEqual({ engine, rows: wanted })
    expect({ engine, count }).toEqual({ engine, count: wanted.length })
  }
  const { rows } = await spark.ask(`SELECT content, record_count, file_path FROM lake.${name}.files`)
  const ours = (await table.files()).map((file) => [file.content === 'data' ? 0 : 1, String(file.rows), file.location])
  expect(rows.map(String).sort()).toEqual(ours.map(String).sort())
}

const call = async (procedure: string, args = ''): Promise<Record<string, number>> => {
  const { columns, rows } = await spark.ask(`CALL lake.system.${procedure}(table => '${name}'${args})`)
  return Object.fromEntries(columns.map((column, i) => [column, Number(rows[0]?.[i])]))
}
const snapshot = async (): Promise<Snapshot | undefined> => currentSnapshot(await table.metadata())
const deleteFiles = async (): Promise<number> =>
  (await table.files()).filter(({ content }) => content === 'position deletes').length

async function deleteRows(mode: 'copy-on-write' | 'merge-on-read', partition: number, every: number): Promise<void> {
  await spark.ask(`ALTER TABLE lake.${name} SET TBLPROPERTIES ('write.delete.mode' = '${mode}')`)
  await spark.ask(`DELETE FROM lake.${name} WHERE _kafka_partition = ${partition} AND _offset % ${every} = 1`)
  const before = expected.size
  for (const key of expected.keys()) {
    const [, of, offset] = /\/(\d+)@(\d+)/.exec(key) ?? []
    if (Number(of) === partition && Number(offset) % every === 1) expected.delete(key)
  }
  expect(expected.size).toBeLessThan(before)
}

/** What other writers do to the table, each on top of what was before. */
const CHANGES: Readonly<Record<string, () => Promise<void>>> = {
  rewrite_data_files: async () => {
    const before = (await table.files()).length
    const { rewritten_data_files_count: count } = await call(
      'rewrite_data_files',
      ", options => map('rewrite-all', 'true')",
    )
    expect(count).toBe(before)
    expect((await table.files()).length).toBe(4) // one a day
    const proofs: SnapshotProof[] = []
    for await (const { proof } of provenTables(store, table.surroundings.tables, { deep: true })) proofs.push(proof)
    expect(proofs).toMatchObject([{ rows: expected.size, traced: expected.size, foreignSnapshots: 1, faults: [] }])
  },
  rewrite_manifests: async () => {
    const { rewritten_manifests_count: count = 0, added_manifests_count: added = 0 } = await call('rewrite_manifests')
    expect(added).toBeLessThan(count)
  },
  'DELETE, copy-on-write': async () => {
    await deleteRows('copy-on-write', 1, 4)
    expect(await deleteFiles()).toBe(0)
  },
  'DELETE, merge-on-read': async () => {
    await deleteRows('merge-on-read', 2, 5)
    expect(await deleteFiles()).toBeGreaterThan(0)
  },
  'append by pyiceberg': async () => {
    const base = await table.catalog.load('sensors')
    if (base === undefined) throw new Error('no table')
    const columns = ['sensor', 'at', 'value', '_epoch', '_kafka_partition', '_offset', '_index', '_timestamp']
    const append = Array.from({ length: 20 }, (_, i) => {
      const time = Date.UTC(2026, 0, 1 + (i % 2)) * 1000
      expected.set(rowKey(9, 0, i, 0), i / 4)
      return ['theirs', time, i / 4, 9, 0, i, 0, time]
    })
    const folder = await mkdtemp(path.join(spark.warehouse, '.pyiceberg-'))
    const { metadata } = await pyiceberg({ columns, append, folder })
    const theirs = parseMetadata(metadata, await table.surroundings.tables.filesAt(base.location).read(metadata))
    expect(await table.catalog.commit('sensors', base, theirs)).toBe('committed')
  },
  'rewrite_data_files, with deletes': async () => {
    expect(await deleteFiles()).toBeGreaterThan(0)
    await call(
      'rewrite_data_files',
      ", options => map('delete-file-threshold', '1', 'remove-dangling-deletes', 'true')",
    )
    expect(await deleteFiles()).toBe(0)
  },
  expire_snapshots: async () => {
    const filled = await snapshot()
    await call('rewrite_manifests')
    const expired = await call('expire_snapshots', ", older_than => TIMESTAMP '2100-01-01', retain_last => 1")
    expect(expired['deleted_data_files_count']).toBeGreaterThan(0)
    const left = (await table.metadata()).snapshots.map((each) => each['snapshot-id'])
    expect(left).toEqual([(await snapshot())?.['snapshot-id']])
    expect(left).not.toContain(filled?.['snapshot-id'])
  },
}

/** Takes away what no commit and no snapshot can name any more: nothing of it is theirs. */
async function vacuumAll(): Promise<void> {
  const metadata = await table.metadata()
  const located = table.surroundings.tables.filesAt(metadata.location)
  const gone: string[] = []
  for await (const { key } of vacuumMetadata(store, located, metadata)) gone.push(key)
  for await (const { key } of vacuum(store, 'sensors')) gone.push(key)
  expect(gone).toEqual([])
}

test('a table that others write, too: every engine agrees after each of them, and the next commit of ours', async () => {
  await land()
  await table.commit()
  await expectAgreement()
  for (const [what, change] of Object.entries(CHANGES)) {
    const before = await snapshot()
    await change()
    expect({ what, id: (await snapshot())?.['snapshot-id'] }).not.toEqual({ what, id: before?.['snapshot-id'] })
    await land()
    expect(await table.commit()).toMatchObject({ entries: 2 * KAFKA_PARTITIONS, isMore: false })
    await expectAgreement()
  }
  await vacuumAll()
  await expectAgreement()
}, 400_000)

test('a roll-back by Spark is noticed; our own brings data and log together, and nothing is there twice', async () => {
  for (let round = 0; round < 3; round++) {
    await land()
    await table.commit()
  }
  const [first, second] = (await table.metadata()).snapshots.map((each) => String(each['snapshot-id']))
  await spark.ask(`CALL lake.system.rollback_to_snapshot('${name}', ${first})`)
  const found = Number((await spark.ask(`SELECT count(*) FROM lake.${name}`)).rows[0]?.[0])
  expect(found).toBe(expected.size / 3)
  const refused = { code: 'TABLE_DIVERGED', message: expect.stringContaining('has rolled it back') as unknown }
  await expect(table.commit()).rejects.toMatchObject(refused)
  await land()
  await expect(table.commit()).rejects.toMatchObject(refused)

  await rollbackTable(table.surroundings, table.owner, second ?? '')
  expect(await table.commit()).toMatchObject({ entries: 4 * KAFKA_PARTITIONS })
  await expectAgreement()
}, 200_000)
