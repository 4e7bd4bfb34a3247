import { vacuumLake, vacuumPage } from '#shared/cli/vacuum.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
let store: DirectoryStore
/** Left by an attempt at a commit that another made; at an amendment; at a commit that there is not yet. */
let lost: string
let late: string
let underWay: string

beforeEach(async () => {
  store = new DirectoryStore(directory())
  await deliver(store, sensors, sensorEvent([reading(1), '{']))
  await deliver(store, sensors, sensorEvent([reading(2)], 0, 3))
  await deliver(store, sensors, sensorEvent([reading(3)], 0, 2))
  const named = (await committedFiles(store)).get('sensors')?.map(({ path }) => path) ?? []
  const other = (key: string): string => key.replace(/-[0-9a-f-]{36}-/, '-00000000-0000-4000-8000-000000000000-')
  lost = other(named.find((key) => key.includes('-c0-')) ?? '')
  late = other(named.find((key) => /-a\d+\.0-/.test(key)) ?? '')
  underWay = lost.replace('-c0-', '-c4-')
  for (const key of [lost, late, underWay]) await store.put(key, Buffer.from('left over'))
})

const keys = (): Promise<string[]> => keysOf(store, 'tables/')

test('what no commit can name any more goes, with the reason; all else stays', async () => {
  const before = await keys()
  const vacuuming = await vacuumLake(store, { catalog: 'directory' })
  expect(vacuuming).toMatchObject({ dryRun: false, files: before.length })
  expect(vacuuming.deleted).toHaveLength(2)
  expect(vacuuming.deleted).toEqual(
    expect.arrayContaining([
      {
        table: 'sensors',
        path: lost,
        bytes: 9,
        reason: 'written for the commit at offset 0, which another attempt put in its place',
      },
      {
        table: 'sensors',
        path: late,
        bytes: 9,
        reason: 'written for amendment 0 of the commit at offset 2, which another attempt put in its place',
      },
    ]),
  )
  expect(await keys()).toEqual(before.filter((key) => key !== lost && key !== late))
  expect(await verifyLake(store, { deep: true })).toMatchObject({ faults: [], orphans: [{ path: underWay }] })
  expect((await vacuumLake(store, { catalog: 'directory' })).deleted).toEqual([])
})

test('a dry run says the same and touches nothing', async () => {
  const before = await keys()
  const { deleted } = await vacuumLake(store, { catalog: 'directory', dryRun: true })
  expect(deleted.map(({ path }) => path).sort()).toEqual([lost, late].sort())
  expect(await keys()).toEqual(before)
})

test('one table only; one that there is not is a wrong call', async () => {
  const lostLetter = lost.replaceAll('tables/sensors/', 'tables/sensors_dead_letters/')
  await store.put(lostLetter, Buffer.from('x'))
  expect(
    (await vacuumLake(store, { catalog: 'directory', table: 'sensors_dead_letters' })).deleted.map(({ path }) => path),
  ).toEqual([lostLetter])
  expect(await keys()).toContain(lost)
  await expect(vacuumLake(store, { catalog: 'directory', table: 'sensor' })).rejects.toThrow(
    'the lake has no table sensor; there are sensors, sensors_dead_letters',
  )
  await expect(vacuumLake(new DirectoryStore(`${directory()}/typo`), { catalog: 'directory' })).rejects.toThrow(
    'there is no commit log here',
  )
})

test('the page counts, lists and stays short', async () => {
  const deleted = Array.from({ length: 23 }, (_, i) => ({ table: 't', path: `a\u001b${i}`, bytes: 1000, reason: 'r' }))
  const page = vacuumPage({ dryRun: false, files: 1000, deleted, deletedMarks: [], outside: [] })
  expect(page).toMatch(/^Deleted 23 of 1,000 data files, 23\.0 kB:\n\n {2}a\\x1b0 {2}1\.0 kB\n {4}r\n/)
  expect(page).toMatch(/\n {2}… and 3 more; --json lists all$/)
  expect(vacuumPage({ dryRun: true, files: 3, deleted: deleted.slice(0, 1), deletedMarks: [], outside: [] })).toMatch(
    /^Would delete 1 of 3 data files, 1\.0 kB; nothing was touched:/,
  )
  expect(vacuumPage({ dryRun: false, files: 3, deleted: [], deletedMarks: [], outside: [] })).toMatch(
    /^Nothing to delete: each of 3 data files/,
  )
  expect(vacuumPage({ dryRun: true, files: 3, deleted: [], deletedMarks: ['marks/a'], outside: [] })).toMatch(
    /\n\nWould delete 1 marks of Iceberg tables/,
  )
  const outside = [{ table: 't', location: 's3://a--table-s3' }]
  expect(vacuumPage({ dryRun: false, files: 0, deleted: [], deletedMarks: [], outside })).toMatch(
    /\n\nS3 Tables itself removes .* from:\n {2}t {2}s3:\/\/a--table-s3$/,
  )
})
