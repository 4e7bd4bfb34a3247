import { execFile } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { answerSql } from '#shared/cli/sql.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { openIcebergDuckDB } from '#test/helpers/duckdb-iceberg.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { FIRST, firstEvent, SECOND, secondEvent, withNextLock } from '#test/helpers/measuring-stations.ts'
import { icebergPython } from '#test/helpers/pyiceberg.ts'
import { sensorEvent } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const SCRIPT = path.join(import.meta.dirname, 'table-evolution.py')
const directory = temporaryDirectory()
let python: string

beforeAll(async () => {
  python = await icebergPython()
}, VENV_TIMEOUT_MS)

/** Offsets by what the statistics and partitions of their files, written under another type or name, must not hide. */
const FILTERS: Readonly<Record<string, readonly number[]>> = {
  'id = 3': [2],
  'ratio = 2.5': [1],
  'zone = 1': [0, 2],
  "label = 'n1'": [0],
  "moment >= '2026-01-06T00:00:00+00:00'": [4],
  'added is null': [0, 1, 2, 3],
}

test('other engines read a table that has become another as we do', async () => {
  const store = new DirectoryStore(directory())
  const first = withNextLock(FIRST)
  const second = withNextLock(SECOND, first.table.lock)
  const table = await LakeTable.applied(store, first)
  // Without ids; under the first lock; under the first lock but not yet in the table when it changes; under the second.
  await deliver(store, FIRST({ layout: 'files' }), sensorEvent([firstEvent(1)]))
  await deliver(store, first, sensorEvent([firstEvent(2)], 0, 1))
  await table.commit()
  await deliver(store, first, sensorEvent([firstEvent(3), firstEvent(4)], 0, 2))
  await table.apply(second.table.lock)
  await deliver(store, second, sensorEvent([secondEvent(5)], 0, 4))
  await new LakeTable(store, second).commit()

  const ours = await answerSql('SELECT * FROM stations ORDER BY _offset', store)
  expect(ours.rows).toHaveLength(5)
  const loaded = await table.catalog.load('stations')
  const metadata = fileURLToPath(loaded?.location ?? '')
  const duckdb = await openIcebergDuckDB(path.dirname(path.dirname(python)))
  try {
    const theirs = await duckdb.ask(`SELECT * FROM iceberg_scan('${metadata}') ORDER BY _offset`)
    expect(theirs.map((row) => ours.columns.map((name) => row[name]))).toEqual(ours.rows)
  } finally {
    duckdb.close()
  }
  const { stdout } = await promisify(execFile)(python, [SCRIPT, metadata, ...Object.keys(FILTERS)])
  const { rows, kept } = JSON.parse(stdout) as { rows: unknown[]; kept: unknown }
  expect(kept).toEqual(FILTERS)
  const old = (id: number): object => ({
    id,
    ratio: id + 0.5,
    label: `n${id}`,
    zone: id % 2,
    place: { note: 't', extra: null, lat: 1.5 },
    tags: [{ kk: id }],
  })
  const place = { note: 'u', extra: true, lat: 0.1 }
  expect(rows).toEqual([
    ...[1, 2, 3, 4].map(old),
    { id: 5, ratio: 0.1, label: null, zone: 5_000_000_000, place, tags: [] },
  ])
}, 120_000)
