import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { currentSnapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { rollbackTable } from '#shared/lake/lake-tables.ts'
import { generationPrefix } from '#shared/lake/log-keys.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import { rescoreRows, rescoreWaiting } from '#shared/lake/rescore/rescore.ts'
import type { Rescored } from '#shared/lake/rescore/rescored-files.ts'
import { vacuum } from '#shared/lake/vacuum.ts'
import { provenTables } from '#shared/lake/verify/snapshot-proof.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { processBatch } from '#shared/pipeline/process-batch.ts'
import type { Scorer, Verdict } from '#shared/pipeline/scorer.ts'
import { deletePositions, rewriteFiles } from '#test/helpers/foreign-snapshots.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { LakeTable, locked } from '#test/helpers/lake-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'
import { away, MemoryScorer, scoredSensors } from '#test/helpers/scored-sensors.ts'
import { reading } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const sensors = locked(scoredSensors())
const AWAY = new MemoryScorer(() => away())
const never = new AbortController().signal
let store: MemoryStore
let table: LakeTable

beforeEach(async () => {
  store = new MemoryStore()
  table = await LakeTable.applied(store, sensors)
})

/** Lands readings of these values, at the offsets of the same numbers. */
async function land(values: readonly number[], scorer: Scorer = AWAY, pipeline = sensors): Promise<void> {
  const records = values.map((value) =>
    kafkaRecord(reading(value), { topic: 'sensors', offset: value, timestamp: 1_700_000_000_000 + value }),
  )
  const delivery = {
    source: { cluster: 'c', topic: 'sensors' },
    partitions: [{ topic: 'sensors', partition: 0, records }],
  }
  const scoring = { scorer, signal: never }
  const options = { lake: new ObjectStoreLake(store), signal: never, concurrency: 1, scoring }
  const [report] = await processBatch(compileFlow(pipeline), delivery, options)
  expect(report?.error).toBeNull()
}

const rescore = (scorer: Scorer = new MemoryScorer(), more: object = {}): Promise<Rescored> =>
  rescoreWaiting(table.surroundings, sensors, { scoring: { scorer, signal: never }, signal: never, ...more })

/** The rows of the table as it is now, by their values. */
async function rows(): Promise<Row[]> {
  const found: Row[] = []
  const located = table.surroundings.tables.filesAt('memory:')
  for (const { location } of await table.files()) found.push(...(await readParquet(await located.read(location))))
  return found.sort((a, b) => Number(a['value']) - Number(b['value']))
}
const scores = async (): Promise<unknown[]> =>
  (await rows()).map(({ value, risk, model, why }) => [value, risk, model, why])

const own = (...values: number[]): unknown[] => values.map((value) => [value, value / 1000, 'v1', null])
const waiting = (...values: number[]): unknown[] => values.map((value) => [value, null, null, 'UNREACHABLE'])
const markers = async (): Promise<string[]> => (await keysOf(store, '')).filter((key) => key.includes('/waiting/'))

/** Log, files and table are proven to the last row. */
async function expectProven(records: number): Promise<void> {
  const replaced = new Set<string>()
  for await (const { proof, replaced: some } of provenTables(store, openCatalog('directory', store), { deep: true })) {
    const { faults, rows: there, traced } = proof
    const isRows = proof.table === 'sensors'
    expect({ faults, there, traced }).toEqual({
      faults: [],
      there: isRows ? records : 0,
      traced: isRows ? records : null,
    })
    for (const path of some) replaced.add(path)
  }
  const verified = await verifyLake(store, { deep: true, isReplaced: (path) => replaced.has(path) })
  expect(verified).toMatchObject({ faults: [], orphans: [] })
}

test('rows that waited have their scores, each its own, and everything else of them is as it was', async () => {
  await land([1, 2, 3])
  await land([5, 6], new MemoryScorer())
  await table.commit()
  expect(await scores()).toEqual([...waiting(1, 2, 3), ...own(5, 6)])
  expect(await markers()).toHaveLength(1)
  const before = await rows()

  expect(await rescore()).toEqual({ scored: 3, unscored: 0, waiting: 0, files: 1, left: [] })
  expect(await scores()).toEqual(own(1, 2, 3, 5, 6))
  const unscored = ({ risk: _r, model: _m, why: _w, ...row }: Row): Row => row
  expect((await rows()).map(unscored)).toEqual(before.map(unscored))
  expect(await markers()).toEqual([])
  const metadata = await table.metadata()
  expect(currentSnapshot(metadata)?.summary).toMatchObject({
    operation: 'overwrite',
    'added-data-files': '1',
    'deleted-data-files': '1',
    'added-records': '3',
    'total-records': '5',
    'total-data-files': '2',
  })
  await expectProven(5)
})

test('the scorer is told of a row of the same file that has its score', async () => {
  await land([1, 2, 3], new MemoryScorer((value) => (value === 2 ? undefined : away())))
  await table.commit()
  const model = new MemoryScorer()
  await rescore(model)
  expect([model.asked, model.known]).toEqual([[[[1], [3]]], [[2]]])
})

test('run twice, or with nothing to do, it changes nothing and asks nothing', async () => {
  await land([1, 2])
  await table.commit()
  await rescore()
  const snapshot = (await table.metadata())['current-snapshot-id']
  const scorer = new MemoryScorer()
  expect(await rescore(scorer)).toEqual({ scored: 0, unscored: 0, waiting: 0, files: 0, left: [] })
  expect(await rescore(scorer, { all: true })).toMatchObject({ scored: 0, files: 0 })
  expect(scorer.asked).toEqual([])
  expect((await table.metadata())['current-snapshot-id']).toBe(snapshot)
})

test('what the endpoint does not answer yet waits on, and what it answers does not', async () => {
  await land([1, 2, 3])
  await table.commit()
  expect(await rescore(AWAY)).toMatchObject({ scored: 0, waiting: 3, files: 0 })
  expect(await rescore(new MemoryScorer((value) => (value === 2 ? away('THROTTLED') : undefined)))).toMatchObject({
    scored: 2,
    waiting: 1,
    files: 1,
  })
  expect(await scores()).toEqual([...own(1), ...waiting(2), ...own(3)])
  expect(await markers()).toHaveLength(1)
  const scorer = new MemoryScorer()
  await rescore(scorer)
  expect(scorer.asked).toEqual([[[2]]])
  expect(await scores()).toEqual(own(1, 2, 3))
  expect(await markers()).toEqual([])
  await expectProven(3)
})

test('a row that the model fails with has a reason, and is not asked for again', async () => {
  await land([1, 2])
  await table.commit()
  const failing = (value: number): Verdict | undefined =>
    value === 2 ? { kind: 'unscored', reason: 'MODEL_ERROR' } : undefined
  expect(await rescore(new MemoryScorer(failing))).toMatchObject({ scored: 1, unscored: 1, waiting: 0 })
  expect(await scores()).toEqual([...own(1), [2, null, null, 'MODEL_ERROR']])
  expect(await markers()).toEqual([])
  const scorer = new MemoryScorer()
  await rescore(scorer, { all: true })
  expect(scorer.asked).toEqual([])
})

test('what the table has not taken from the log waits for it', async () => {
  await land([1])
  expect(await rescore()).toMatchObject({ scored: 0, files: 0 })
  expect(await markers()).toHaveLength(1)
  await table.commit()
  expect(await rescore()).toMatchObject({ scored: 1 })
})

test('a gap that is filled later, and waits too, is an amendment like any', async () => {
  await land([1, 9])
  await land([5])
  await table.commit()
  expect(await markers()).toHaveLength(2)
  expect(await rescore()).toMatchObject({ scored: 3, files: 2 })
  expect(await markers()).toEqual([])
  await expectProven(3)
})

test('rows that another engine has put elsewhere meanwhile are found there', async () => {
  await land([1, 2])
  await land([3])
  await table.commit()
  let isRewritten = false
  const racing = new MemoryScorer()
  const scorer: Scorer = {
    score: async (...of) => {
      if (!isRewritten) await rewriteFiles(table)
      isRewritten = true
      return racing.score(...of)
    },
  }
  expect(await rescore(scorer)).toMatchObject({ scored: 3, files: 2, left: [] })
  expect(await scores()).toEqual(own(1, 2, 3))
  expect(await markers()).toEqual([])
  await expectProven(3)
})

test('a committer that comes first does not make it ask again', async () => {
  await land([1, 2])
  await table.commit()
  const racing = new MemoryScorer()
  let isCommitted = false
  const scorer: Scorer = {
    score: async (...of) => {
      if (!isCommitted) {
        isCommitted = true
        await land([7], new MemoryScorer())
        await table.commit()
      }
      return racing.score(...of)
    },
  }
  expect(await rescore(scorer)).toMatchObject({ scored: 2, files: 1 })
  expect(racing.asked).toEqual([[[1], [2]]])
  expect(await scores()).toEqual(own(1, 2, 7))
  await expectProven(3)
})

test('two at once: every row is there once, with its score', async () => {
  for (const value of [1, 2, 3, 4]) await land([value])
  await table.commit()
  await Promise.all([rescore(), rescore()])
  await rescore()
  expect(await scores()).toEqual(own(1, 2, 3, 4))
  expect(await markers()).toEqual([])
  await expectProven(4)
})

test('rows that others delete by delete files are not brought back', async () => {
  await land([1, 2])
  await table.commit()
  const [file] = await table.files()
  if (file === undefined) throw new Error('no file')
  await deletePositions(table, file, [[file.location, 0]])
  const rescored = await rescore()
  expect(rescored).toMatchObject({ scored: 0, files: 0 })
  expect(rescored.left).toMatchObject([
    { location: file.location, reason: expect.stringContaining('compact the table') },
  ])
  expect(await markers()).toHaveLength(1)
})

test('after a roll-back the log itself says who waits', async () => {
  await land([1, 2])
  await table.commit()
  const unscored = String((await table.metadata())['current-snapshot-id'])
  await rescore()
  await rollbackTable(table.surroundings, table.owner, unscored)
  await table.commit()
  expect(await scores()).toEqual(waiting(1, 2))
  expect(await rescore()).toMatchObject({ scored: 0 })
  expect(await rescore(new MemoryScorer(), { all: true })).toMatchObject({ scored: 2 })
  expect(await scores()).toEqual(own(1, 2))
})

test('when more wait than there is time for, each run settles some of them for good', async () => {
  for (const value of [1, 2, 3, 4, 5, 6]) await land([value])
  await table.commit()
  const time = new AbortController()
  const model = new MemoryScorer()
  const scorer: Scorer = {
    score: (...of) => {
      if (model.asked.length === 3) time.abort()
      return model.score(...of)
    },
  }
  expect(await rescore(scorer, { signal: time.signal, entries: 2 })).toMatchObject({ scored: 4, files: 4 })
  expect(await markers()).toHaveLength(4)
  expect(await rescore(new MemoryScorer(), { entries: 2 })).toMatchObject({ scored: 2, files: 2 })
  expect(await markers()).toEqual([])
  expect(await scores()).toEqual(own(1, 2, 3, 4, 5, 6))
  await expectProven(6)
})

test('rows that wait on do not keep others from their scores, nor their entries', async () => {
  for (const value of [1, 2, 3, 4, 5]) await land([value])
  await table.commit()
  const scorer = new MemoryScorer((value) => (value % 2 === 1 ? away('THROTTLED') : undefined))
  expect(await rescore(scorer, { entries: 2 })).toMatchObject({ scored: 2, waiting: 3 })
  expect(await markers()).toHaveLength(3)
  expect(await scores()).toEqual([...waiting(1), ...own(2), ...waiting(3), ...own(4), ...waiting(5)])
})

test('a dry run asks and changes nothing', async () => {
  await land([1, 2])
  await table.commit()
  const before = await keysOf(store, '')
  expect(await rescore(new MemoryScorer(), { dryRun: true })).toMatchObject({ scored: 2, files: 0 })
  expect(await keysOf(store, '')).toEqual(before)
})

test('the marker of a writer that has died is deleted, by a dry run no more than anything else', async () => {
  await land([1, 2], new MemoryScorer())
  await table.commit()
  for await (const { log } of logsOf(store, generationPrefix(table.owner)))
    await log.putWaiting({ kind: 'commit', start: 0 })
  const marked = await markers()
  expect(marked).toHaveLength(1)
  await rescore(new MemoryScorer(), { dryRun: true })
  expect(await markers()).toEqual(marked)
  await rescore()
  expect(await markers()).toEqual([])
})

test('a vacuum leaves the files that it has made', async () => {
  await land([1])
  await table.commit()
  await rescore()
  const vacuumed: unknown[] = []
  for await (const file of vacuum(store, 'sensors')) vacuumed.push(file)
  expect(vacuumed).toEqual([])
  expect(await scores()).toEqual(own(1))
})

test('a table of another revision of the lock is refused: its columns could be lost', async () => {
  await land([1])
  await table.commit()
  const lock = { ...sensors.table.lock, revision: sensors.table.lock.revision + 1 }
  const other = { ...sensors, table: { ...sensors.table, lock } }
  const options = { scoring: { scorer: AWAY, signal: never }, signal: never }
  await expect(rescoreWaiting(table.surroundings, other, options)).rejects.toMatchObject({ code: 'TABLE_CHANGED' })
  const files = { ...sensors, table: { ...sensors.table, layout: 'files' as const } }
  await expect(rescoreWaiting(table.surroundings, files, options)).rejects.toThrow('plain files')
})

test('rows are scored anew by another model; what it fails with keeps its score', async () => {
  await land([1, 2, 3], new MemoryScorer())
  await table.commit()
  const next = new MemoryScorer((value) =>
    value === 3
      ? { kind: 'unscored', reason: 'MODEL_ERROR' }
      : { kind: 'predicted', prediction: value / 2, modelVersion: 'v2' },
  )
  const seen: unknown[] = []
  const isMeant = (row: Row): boolean => row['value'] !== 1 && row['model'] !== 'v2'
  const meant = {
    mayHold: () => true,
    isMeant,
    onSettled: (_settlement: unknown, _score: unknown, before: Row, after: Row) =>
      void seen.push([before['risk'], after['risk']]),
  }
  const options = { scoring: { scorer: next, signal: never }, signal: never }
  expect(await rescoreRows(table.surroundings, sensors, meant, options)).toMatchObject({
    scored: 1,
    unscored: 1,
    files: 1,
  })
  expect(await scores()).toEqual([...own(1), [2, 1, 'v2', null], ...own(3)])
  expect(seen).toEqual([
    [0.002, 1],
    [0.003, 0.003],
  ])
  await expectProven(3)
})
