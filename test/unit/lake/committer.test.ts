import { committedFiles } from '#shared/lake/committed-files.ts'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { beginEpoch } from '#shared/lake/epochs.ts'
import { withProperties } from '#shared/lake/iceberg/table-metadata.ts'
import { adoptTable, rollbackTable } from '#shared/lake/lake-tables.ts'
import { MARKS_PROPERTY } from '#shared/lake/table-marks.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const TOPIC = {
  pipeline: 'sensors',
  generation: 0,
  cluster: 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
  topic: 'sensors',
}
let store: MemoryStore
let table: LakeTable

beforeEach(async () => {
  store = new MemoryStore()
  table = await LakeTable.applied(store, sensors)
})

const land = (values: readonly string[], partition = 0, offset = 0): Promise<void> =>
  deliver(store, sensors, sensorEvent(values, partition, offset))

/** The files of the table are those that the log names, each once. */
async function expectAll(): Promise<void> {
  const named = (await committedFiles(store)).get('sensors')?.map(({ path }) => `memory:/${path}`) ?? []
  const files = (await table.files()).map(({ location }) => location)
  expect(files.sort()).toEqual(named.sort())
}

const markers = (): Promise<string[]> =>
  keysOf(store, 'log/').then((keys) => keys.filter((key) => key.includes('/dirty/sensors/')))

test('what the log holds becomes one snapshot; then there is nothing to do', async () => {
  await land([reading(1), reading(2, '2026-01-06')])
  await land([reading(3)], 1)
  expect(await table.commit()).toMatchObject({ entries: 2, files: 3, rows: 3, snapshotId: expect.any(String) })
  await expectAll()
  const { snapshots } = await table.metadata()
  expect(snapshots).toHaveLength(1)
  expect(snapshots[0]?.summary).toMatchObject({ 'added-records': '3', 'total-data-files': '3' })
  expect(await table.commit()).toEqual({
    table: 'sensors',
    entries: 0,
    files: 0,
    rows: 0,
    snapshotId: null,
    isMore: false,
    waitedMs: null,
  })
})

test('it is told how long the oldest commit had waited, amendments aside', async () => {
  await land([reading(1)], 0, 5)
  await land([reading(2)], 1)
  const begun = Date.now()
  const anHourLater = new LakeTable(store, sensors, { now: () => begun + 3_600_000 })
  expect((await anHourLater.commit()).waitedMs).toBeGreaterThanOrEqual(3_600_000)
  await land([reading(3)], 0, 2)
  expect(await anHourLater.commit()).toMatchObject({ entries: 1, waitedMs: null })
})

test('amendments follow, and their markers go when the marks count them', async () => {
  await land([reading(1)], 0, 5)
  await table.commit()
  await land([reading(2)], 0, 2)
  expect(await markers()).toHaveLength(1)
  expect(await table.commit()).toMatchObject({ entries: 1, files: 1 })
  expect(await markers()).toEqual([])
  await land([reading(3)], 0, 1)
  await table.commit()
  await expectAll()
  expect(await table.files()).toHaveLength(3)
})

test('a bounded run takes the oldest, and the next goes on', async () => {
  for (let offset = 0; offset < 5; offset++) await land([reading(offset + 1)], 0, offset)
  expect(await table.commit({ limit: 2 })).toMatchObject({ entries: 2, isMore: true })
  expect(await table.commit({ limit: 2 })).toMatchObject({ entries: 2, isMore: true })
  expect(await table.commit({ limit: 2 })).toMatchObject({ entries: 1, isMore: false })
  await expectAll()
})

test('commits without files for the table move its marks, and make no snapshot', async () => {
  await land(['{', '{'])
  expect(await table.commit()).toMatchObject({ entries: 1, files: 0, snapshotId: null })
  expect(await table.commit()).toMatchObject({ entries: 0 })
  expect((await table.metadata()).snapshots).toEqual([])
})

test('a new epoch and its seal are followed too', async () => {
  await land([reading(1)])
  await beginEpoch(store, TOPIC, 0)
  await deliver(store, sensors, sensorEvent([reading(2), reading(3)]), { epoch: 1 })
  expect(await table.commit()).toMatchObject({ entries: 3, rows: 3 })
  await expectAll()
})

test('eight committers at once: each file once', async () => {
  for (let offset = 0; offset < 20; offset++) await land([reading(offset + 1)], offset % 3, Math.floor(offset / 3))
  const commits = await Promise.all(Array.from({ length: 8 }, () => table.commit({ limit: 2, attempts: 100 })))
  while ((await table.commit({ limit: 2 })).entries > 0);
  await expectAll()
  const taken = commits.reduce((sum, { entries }) => sum + entries, 0)
  expect(taken).toBeGreaterThan(2)
})

test('a committer that dies anywhere leaves a table that the next one completes', async () => {
  for (let calls = 1; ; calls++) {
    store = new MemoryStore()
    table = await LakeTable.applied(store, sensors)
    await land([reading(1)], 0, 5)
    await table.commit()
    await land([reading(2)], 0, 2)
    await land([reading(3)], 0, 6)
    let left = calls
    const dying = store.through(async (_call, effect) => {
      if (left-- <= 0) throw new Error('killed')
      return effect()
    })
    const isDone = await new LakeTable(dying, sensors).commit().then(
      () => true,
      () => false,
    )
    if (isDone) return
    await table.commit()
    await expectAll()
    expect(await markers()).toEqual([])
  }
})

describe('a table that is not what the log has filled', () => {
  const refused = (reason: string): unknown =>
    expect.objectContaining({ code: 'TABLE_DIVERGED', message: expect.stringContaining(reason) as unknown })

  /** What other engines do to a table. */
  async function change(edit: (metadata: Awaited<ReturnType<LakeTable['metadata']>>) => object): Promise<void> {
    const base = await table.catalog.load('sensors')
    if (base === undefined) throw new Error('no table')
    await table.catalog.commit('sensors', base, { ...base.metadata, ...edit(base.metadata) })
  }

  test('there is none', async () => {
    await expect(new LakeTable(new MemoryStore(), sensors).commit()).rejects.toMatchObject({
      code: 'TABLE_MISSING',
      message: expect.stringContaining('inlet table apply sensors'),
    })
  })

  test('it has no marks, but there is a log', async () => {
    await land([reading(1)])
    await change((metadata) => withProperties(metadata, { [MARKS_PROPERTY]: null }, 0))
    await expect(table.commit()).rejects.toEqual(refused('inlet table adopt sensors'))
    await adoptTable(table.surroundings, table.owner)
    await table.commit()
    await expectAll()
  })

  test('it was rolled back by something else: refused until data and marks go together', async () => {
    for (const offset of [0, 1, 2]) {
      await land([reading(offset + 1)], 0, offset)
      await table.commit()
    }
    const first = (await table.metadata()).snapshots[0]?.['snapshot-id'] ?? 0n
    await change((metadata) => ({
      'current-snapshot-id': first,
      refs: { main: { ...metadata.refs['main'], 'snapshot-id': first } },
    }))
    expect(await table.files()).toHaveLength(1)
    await expect(table.commit()).rejects.toEqual(refused('has rolled it back'))
    await rollbackTable(table.surroundings, table.owner, String(first))
    expect(await table.commit()).toMatchObject({ entries: 2, files: 2 })
    await expectAll()
    await expect(adoptTable(table.surroundings, table.owner)).rejects.toEqual(refused('is not empty'))
  })

  test('its marked snapshot has expired: that is no change of history', async () => {
    for (const offset of [0, 1]) {
      await land([reading(offset + 1)], 0, offset)
      await table.commit()
    }
    // Another engine adds a snapshot and expires all that were before it.
    await change((metadata) => {
      const [last] = metadata.snapshots.slice(-1)
      if (last === undefined) throw new Error('no snapshot')
      const id = 77n
      const sequence = last['sequence-number'] + 1
      const next = {
        ...last,
        'snapshot-id': id,
        'parent-snapshot-id': last['snapshot-id'],
        'sequence-number': sequence,
      }
      return {
        snapshots: [{ ...next, summary: { operation: 'replace' } }],
        'current-snapshot-id': id,
        'last-sequence-number': sequence,
        refs: { main: { 'snapshot-id': id, type: 'branch' } },
      }
    })
    await land([reading(3)], 0, 2)
    expect(await table.commit()).toMatchObject({ entries: 1, files: 1 })
    await expectAll()
  })

  test('it was dropped, or dropped and made anew', async () => {
    await land([reading(1)])
    await table.commit()
    for (const key of await keysOf(store, 'tables/sensors/metadata/')) await store.delete(key)
    await expect(table.apply()).rejects.toEqual(refused('does not have any more'))
    expect(await table.apply(undefined, { anew: true })).toBe('created')
    expect(await table.commit()).toMatchObject({ files: 1 })
    await expectAll()

    for (const key of await keysOf(store, 'tables/sensors/metadata/')) await store.delete(key)
    const other = await LakeTable.applied(new MemoryStore(), sensors)
    const { store: from } = other.surroundings
    for (const key of await keysOf(from, 'tables/sensors/metadata/'))
      await store.put(key, (await from.get(key)) ?? new Uint8Array())
    await expect(table.commit()).rejects.toEqual(refused('the catalog has another'))
    await adoptTable(table.surroundings, table.owner)
    await table.commit()
    await expectAll()
  })
})

test('a log with a hole in it is refused', async () => {
  for (const offset of [0, 1, 2]) await land([reading(offset + 1)], 0, offset)
  const [, middle] = (await keysOf(store, 'log/')).filter((key) => key.includes('/commits/'))
  await store.delete(middle ?? '')
  await expect(table.commit()).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
})

test('a table of another generation takes its own log and no other', async () => {
  await land([reading(1)])
  await new CommitLog(store, { ...TOPIC, generation: 1, epoch: 0, partition: 0 }).seal()
  expect(await table.commit()).toMatchObject({ entries: 1, rows: 1 })
})
