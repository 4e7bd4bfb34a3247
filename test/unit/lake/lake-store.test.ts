import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { LakeStore, type LakeStoreOptions } from '#shared/lake/lake-store.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { noteTable } from '#shared/lake/table-identity.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { withLocalFiles } from '#shared/cli/data-files.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { redrive } from '#test/helpers/mending-sensors.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const ROWS = 's3://0001--table-s3'
const LETTERS = 's3://0002--table-s3'
const OWNER = { pipeline: 'sensors', generation: 0, table: 'sensors' }

const directory = temporaryDirectory()
let inner: DirectoryStore
let buckets: Map<string, DirectoryStore>
let lake: LakeStore

/** A bucket of S3 Tables: what cannot be done there throws. */
function bucketOf(url: string): ObjectStore {
  const store = buckets.get(url)
  if (store === undefined) throw new Error(`${url} is not there`)
  const refuse = (): never => {
    throw new Error(`${url} refuses this`)
  }
  return {
    url,
    put: (key, body) => store.put(key, body),
    putIfAbsent: (key, body) => store.putIfAbsent(key, body),
    get: (key) => store.get(key),
    size: (key) => store.size(key),
    list: refuse,
    delete: refuse,
  }
}

const open = (hasBucket: LakeStoreOptions['hasBucket'] = () => 'unknown', store: ObjectStore = inner): LakeStore =>
  new LakeStore(store, { openBucket: bucketOf, hasBucket })

const note = (location: string, { table = 'sensors', id = 'id' } = {}): Promise<void> =>
  noteTable(inner, { ...OWNER, table }, { 'table-uuid': id, location }, { replace: true })

beforeEach(() => {
  const folder = directory()
  inner = new DirectoryStore(path.join(folder, 'lake'))
  buckets = new Map([ROWS, LETTERS].map((url) => [url, new DirectoryStore(path.join(folder, url.slice(5)))]))
  lake = open()
})

const bytes = (text: string): Uint8Array => Buffer.from(text)
const bucket = (url: string): DirectoryStore => buckets.get(url) as DirectoryStore

test('an object is where its key says: in the lake, or in the bucket of its table', async () => {
  await lake.put('tables/t/data/a', bytes('in the lake'))
  await lake.put(`${ROWS}/data/a`, bytes('outside'))
  expect(await lake.putIfAbsent(`${ROWS}/data/a`, bytes('later'))).toBe('taken')
  expect(await keysOf(inner, '')).toEqual(['tables/t/data/a'])
  expect(await keysOf(bucket(ROWS), '')).toEqual(['data/a'])
  expect(await keysOf(lake, '')).toEqual(['tables/t/data/a'])
  expect(Buffer.from((await lake.get('tables/t/data/a')) ?? []).toString()).toBe('in the lake')
  expect(Buffer.from((await lake.get(`${ROWS}/data/a`)) ?? []).toString()).toBe('outside')
  expect(await lake.size(`${ROWS}/data/a`)).toBe(7)
  expect(await lake.size(`${LETTERS}/data/a`)).toBeUndefined()
  await lake.delete('tables/t/data/a')
  expect(await lake.get('tables/t/data/a')).toBeUndefined()
})

describe('where new data files of a table belong', () => {
  test('where the lake has noted that it lies, found out once', async () => {
    await note(ROWS)
    expect(await lake.dataFolder(OWNER)).toBe(`${ROWS}/data/`)
    await note(LETTERS)
    expect(await lake.dataFolder(OWNER)).toBe(`${ROWS}/data/`)
  })

  test('in the lake, when it lies there or nothing was noted', async () => {
    await note(`${inner.url}tables/sensors`)
    expect(await lake.dataFolder(OWNER)).toBe('tables/sensors/data/')
    expect(await lake.dataFolder({ ...OWNER, table: 'other' })).toBe('tables/other/data/')
  })

  test('in the lake without a question, when no table has a bucket', async () => {
    await note(ROWS)
    const unasked = open(() => false, bucketOf(ROWS))
    await bucket(ROWS).put('marks/sensors/g0/sensors/table.json', bytes('not JSON'))
    expect(await unasked.dataFolder(OWNER)).toBe('tables/sensors/data/')
  })

  test('nowhere, when the table must have a bucket and was not made yet; asked again the next time', async () => {
    lake = open((table) => table === 'sensors')
    await expect(lake.dataFolder(OWNER)).rejects.toMatchObject({
      code: 'TABLE_MISSING',
      message: expect.stringContaining('make it with "inlet table apply sensors"') as string,
    })
    await note(ROWS)
    expect(await lake.dataFolder(OWNER)).toBe(`${ROWS}/data/`)
  })

  test('where the table is now, after its bucket has gone with it', async () => {
    await note(ROWS)
    await lake.put(`${await lake.dataFolder(OWNER)}a`, bytes('a'))
    await note(LETTERS, { id: 'another' })
    bucket(ROWS).put = () => Promise.reject(new Error('NoSuchBucket'))
    await expect(lake.put(`${await lake.dataFolder(OWNER)}b`, bytes('b'))).rejects.toThrow('NoSuchBucket')
    expect(await lake.dataFolder(OWNER)).toBe(`${LETTERS}/data/`)
  })
})

describe('a lake whose tables have buckets', () => {
  const TIMELESS = JSON.stringify({ sensor: 's1', value: 1 })

  beforeEach(async () => {
    // From before it had one.
    await deliver(lake, sensors, sensorEvent([reading(1)]))
    lake = open()
    await note(ROWS)
    await note(LETTERS, { table: 'sensors_dead_letters' })
    await deliver(lake, sensors, sensorEvent([reading(2), TIMELESS], 0, 1))
  })

  test('the log says of each file where it lies, and the proof asks there', async () => {
    const files = await committedFiles(lake)
    expect(files.get('sensors')?.map((file) => file.path)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^tables\/sensors\/data\/at_day=2026-01-05\/[0-9a-f]{12}-c0-/),
        expect.stringMatching(/^s3:\/\/0001--table-s3\/data\/at_day=2026-01-05\/[0-9a-f]{12}-c1-/),
      ]),
    )
    expect(await keysOf(bucket(LETTERS), 'data/')).toHaveLength(1)
    expect(await verifyLake(lake, { deep: true })).toMatchObject({
      faults: [],
      orphans: [],
      checks: { files: 3, checksums: 3, rows: 2, deadLetters: 1 },
    })
  })

  test.each<[string, (key: string) => Promise<void>, RegExp]>([
    ['lost', (key) => bucket(ROWS).delete(key), /^is missing/],
    ['cut', (key) => bucket(ROWS).put(key, bytes('short')), /^has 5 bytes, not /],
    [
      'changed',
      async (key) => {
        const body = Buffer.from((await bucket(ROWS).get(key)) ?? [])
        body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1
        await bucket(ROWS).put(key, body)
      },
      /^has another checksum/,
    ],
  ])('a file there that is %s is found', async (_, damage, fault) => {
    const [key = ''] = await keysOf(bucket(ROWS), 'data/')
    await damage(key)
    const { faults } = await verifyLake(lake, { deep: true })
    expect(faults).toEqual([{ object: `${ROWS}/${key}`, fault: expect.stringMatching(fault) as string }])
  })

  test('dead letters come back from there, and what becomes of them goes there', async () => {
    const { reports } = await redrive(lake)
    expect(reports).toMatchObject([{ written: 1, rejected: 0, error: null }])
    expect(await keysOf(bucket(ROWS), 'data/')).toHaveLength(2)
    expect((await verifyLake(lake, { deep: true })).faults).toEqual([])
  })

  test('its files can be opened on this machine', async () => {
    const files = (await committedFiles(lake)).get('sensors') ?? []
    expect(files).toHaveLength(2)
    await withLocalFiles(lake, files, async ({ pathOf }) => {
      for (const { path: key, bytes: size } of files) expect(await readFile(pathOf(key))).toHaveLength(size)
    })
  })
})
