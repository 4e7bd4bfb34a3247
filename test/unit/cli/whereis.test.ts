import path from 'node:path'
import { whereIs, type Whereabouts } from '#shared/cli/whereis.ts'
import { commitKey, logPrefix } from '#shared/lake/log-keys.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const CLUSTER = 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5'
const LOG = logPrefix({
  pipeline: 'sensors',
  generation: 0,
  cluster: CLUSTER,
  topic: 'sensors',
  epoch: 0,
  partition: 0,
})
/** Does not throw where the real one does. */
const mended: Pipeline = {
  ...sensors,
  transform: ({ value }: { value: { sensor: string; at: string; value: number } }) => {
    return { ...value, at: new Date(value.at) }
  },
}

const at = (offset: number, pipeline?: string) => ({ topic: 'sensors', partition: 0, offset, pipeline })

async function whereInTheOneLog(store: ObjectStore, offset: number): Promise<Whereabouts> {
  const found = await whereIs(store, at(offset))
  expect(found).toHaveLength(1)
  return found[0] as Whereabouts
}

/** Offsets 0 to 4 in one commit: a row, two rows, a skipped one, a dead letter, bytes that are no JSON. */
const EVENT = sensorEvent([reading(1), reading(-2), reading(0), reading(666), '{'])

describe.each([
  ['a directory', () => new DirectoryStore(path.join(directory(), 'it is a [lake]'))],
  ['a store whose files have to be fetched', () => new MemoryStore()],
])('in %s', (_, open) => {
  test('each record is where the commit says', async () => {
    const store = open()
    await deliver(store, sensors, EVENT)
    const files = (await committedFiles(store)).get('sensors')

    const one = await whereInTheOneLog(store, 0)
    expect(one).toMatchObject({
      log: { pipeline: 'sensors', generation: 0, cluster: CLUSTER, epoch: 0 },
      status: 'row',
      commit: { key: commitKey(LOG, 0), start: 0, end: 4 },
      newestOffset: 4,
      history: [{ verdict: 'row', by: 'commit', entry: commitKey(LOG, 0), start: 0, end: 4 }],
    })
    expect(one.history[0]?.rows).toEqual([
      {
        table: 'sensors',
        file: files?.[0]?.path,
        row: {
          sensor: 's1',
          at: '2026-01-05 10:00:00+00',
          value: 1,
          _epoch: 0,
          _kafka_partition: 0,
          _offset: '0',
          _index: 0,
          _timestamp: '2023-11-14 22:13:20+00',
        },
      },
    ])

    const two = await whereInTheOneLog(store, 1)
    expect(two.status).toBe('row')
    expect(two.history[0]?.rows.map(({ row }) => [row['_index'], row['value']])).toEqual([
      [0, -2],
      [1, 2],
    ])
    expect(await whereInTheOneLog(store, 2)).toMatchObject({ status: 'skipped', history: [{ rows: [] }] })
    expect(await whereInTheOneLog(store, 3)).toMatchObject({
      status: 'dead letter',
      history: [
        {
          rows: [
            {
              table: 'sensors_dead_letters',
              row: { stage: 'transform', code: 'TRANSFORM_THREW', field: null },
            },
          ],
        },
      ],
    })
    expect(await whereInTheOneLog(store, 4)).toMatchObject({ history: [{ rows: [{ row: { code: 'JSON_INVALID' } }] }] })
    expect(await whereInTheOneLog(store, 5)).toMatchObject({
      status: 'not landed yet',
      commit: null,
      newestOffset: 4,
      history: [],
    })
  })
})

let store: MemoryStore
beforeEach(() => {
  store = new MemoryStore()
})

test('a gap is a gap until an amendment fills it', async () => {
  const [a, , c] = [sensorEvent([reading(1)]), null, sensorEvent([reading(3)], 0, 2)]
  const merged = { ...(a as object), records: { 'sensors-0': [...recordsOf(a), ...recordsOf(c)] } }
  await deliver(store, sensors, merged)
  expect(await whereInTheOneLog(store, 1)).toMatchObject({
    status: 'gap',
    commit: { start: 0, end: 2 },
    newestOffset: 2,
    history: [],
  })
  await deliver(store, sensors, sensorEvent([reading(2)], 0, 1))
  expect(await whereInTheOneLog(store, 1)).toMatchObject({
    status: 'row',
    commit: { start: 0, end: 2 },
    history: [{ verdict: 'row', by: 'amendment', start: 1, end: 1, rows: [{ row: { value: 2 } }] }],
  })
})

test('what an amendment superseded is history, the oldest first', async () => {
  await deliver(store, sensors, EVENT)
  await deliver(store, mended, sensorEvent([reading(666)], 0, 3), { mode: 'redrive' })
  const { status, history } = await whereInTheOneLog(store, 3)
  expect(status).toBe('row')
  expect(history).toMatchObject([
    { verdict: 'dead letter', by: 'commit', rows: [{ table: 'sensors_dead_letters' }] },
    { verdict: 'row', by: 'amendment', rows: [{ table: 'sensors', row: { value: 666 } }] },
  ])
  expect(history[1]?.entry).toMatch(/\/amendments\/0+\/000000\.json$/)
  // The others' verdicts are what they were.
  expect(await whereInTheOneLog(store, 4)).toMatchObject({ status: 'dead letter', history: [{ by: 'commit' }] })
})

test('every log of the topic and partition is asked; a pipeline can be chosen', async () => {
  const copies: Pipeline = { ...sensors, name: 'copies' }
  await deliver(store, sensors, EVENT)
  await deliver(store, copies, sensorEvent([reading(8)]))
  await deliver(store, sensors, sensorEvent([reading(9)]), { epoch: 1 })
  await deliver(store, sensors, sensorEvent([reading(7)], 1))
  const found = await whereIs(store, at(0))
  expect(found.map(({ log, history }) => [log.pipeline, log.epoch, history[0]?.rows[0]?.row['value']])).toEqual([
    ['copies', 0, 8],
    ['sensors', 0, 1],
    ['sensors', 1, 9],
  ])
  expect((await whereIs(store, at(0, 'copies'))).map(({ log }) => log.pipeline)).toEqual(['copies'])
  await expect(whereIs(store, at(0, 'nope'))).rejects.toThrow(
    'no log of the lake holds sensors-0 by nope; there are sensors-0 (copies), sensors-0 (sensors), sensors-1 (sensors)',
  )
})

test('no lake, no such partition: one clear error', async () => {
  await expect(whereIs(store, at(0))).rejects.toThrow('memory:: there is no commit log here')
  await deliver(store, sensors, EVENT)
  await expect(whereIs(store, { topic: 'sensors', partition: 7, offset: 0 })).rejects.toThrow(
    'no log of the lake holds sensors-7; there are sensors-0 (sensors)',
  )
})

describe('a lake that contradicts itself is said to, and not believed', () => {
  test('a hole in the chain', async () => {
    for (const first of [0, 2, 4]) await deliver(store, sensors, sensorEvent([reading(1), reading(2)], 0, first))
    await store.delete(commitKey(LOG, 2))
    await expect(whereIs(store, at(3))).rejects.toThrow('no commit covers offset 3, but there is one behind it')
    await store.delete(commitKey(LOG, 0))
    await expect(whereIs(store, at(1))).rejects.toThrow('no commit covers offset 1')
  })

  test.each([
    ['a directory', () => new DirectoryStore(directory())],
    ['elsewhere', () => new MemoryStore()],
  ])('a data file that is gone, in %s', async (_, open) => {
    const lake = open()
    await deliver(lake, sensors, EVENT)
    const file = (await committedFiles(lake)).get('sensors')?.[0]?.path ?? ''
    await lake.delete(file)
    await expect(whereIs(lake, at(0))).rejects.toThrow(`${file} is missing, but a commit names it`)
  })

  test.each([
    ['row', 'sensors', reading(1), /says that sensors-0@0 is a row, but its files hold 0 of it/],
    ['dead letter', 'sensors_dead_letters', '{', /says that sensors-0@0 is a dead letter, but its files hold 0 of it/],
  ])('a file without the %s that the commit counts', async (_, table, value, message) => {
    await deliver(store, sensors, sensorEvent([value]))
    await deliver(store, sensors, sensorEvent([value], 0, 1))
    const files = (await committedFiles(store)).get(table)?.map((file) => file.path) ?? []
    const [first = '', second = ''] = files.sort((a, b) => (a.includes('-c0-') ? -1 : b.includes('-c0-') ? 1 : 0))
    await store.put(first, (await store.get(second)) ?? new Uint8Array())
    await expect(whereIs(store, at(0))).rejects.toThrow(message)
  })
})

function recordsOf(event: unknown): unknown[] {
  return Object.values((event as { records: Record<string, unknown[]> }).records).flat()
}
