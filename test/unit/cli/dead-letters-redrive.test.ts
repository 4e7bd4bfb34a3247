import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beginEpoch } from '#shared/lake/epochs.ts'
import { redrive, type RedriveCall, type RedriveOutcome } from '#shared/cli/dead-letters-redrive.ts'
import { redrivePage } from '#shared/cli/dead-letters-redrive-page.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { mended, openIn, timeless } from '#test/helpers/mending-sensors.ts'
import { originsIn } from '#test/helpers/sensor-records.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
let lake: DirectoryStore
let failed: string

/** Dead letters at the offsets 1, 2, 3 and 4. */
beforeEach(async () => {
  lake = new DirectoryStore(path.join(directory(), 'lake'))
  failed = path.join(directory(), 'failed')
  await deliver(lake, sensors, sensorEvent([reading(1), reading(666), timeless(2), '{', reading(666)]))
})

const call = (options: Omit<RedriveCall, 'lake'> = {}): Promise<RedriveOutcome> =>
  redrive(mended, { lake: path.join(directory(), 'lake'), ...options })

test('all that are open, told as a table', async () => {
  const outcome = await call()
  expect(outcome).toMatchObject({ pipeline: 'sensors', dryRun: false, found: 4, written: 3, rejected: 1, failed: 0 })
  expect(redrivePage(outcome)).toBe(
    [
      'found  landed as rows  skipped  rejected again  already resolved  failed',
      '─────  ──────────────  ───────  ──────────────  ────────────────  ──────',
      '    4               3        0               1                 0       0',
      'What sensors rejects is a dead letter again; "dead-letters ls" says why.',
    ].join('\n'),
  )
  expect(await openIn(lake)).toEqual(['0/0@3'])
  expect(redrivePage(await call({ code: 'EVENT_INVALID' }))).toBe('No such dead letters of sensors are open.')
})

test('a dry run says what would become of them, by code', async () => {
  const before = await keysOf(lake, '')
  expect(redrivePage(await call({ dryRun: true }))).toBe(
    [
      'This is a dry run: it tells what would become of the records, and writes nothing.',
      '',
      'found  landed as rows  skipped  rejected again  already resolved  failed',
      '─────  ──────────────  ───────  ──────────────  ────────────────  ──────',
      '    4               3        0               1                 0       0',
      '',
      'would be rejected with  records',
      '──────────────────────  ───────',
      'JSON_INVALID                  1',
    ].join('\n'),
  )
  expect(await keysOf(lake, '')).toEqual(before)
})

describe('which', () => {
  test.each<[Omit<RedriveCall, 'lake'>, string[]]>([
    [{ code: 'TRANSFORM_THREW' }, ['0/0@2', '0/0@3']],
    [{ field: 'at' }, ['0/0@1', '0/0@3', '0/0@4']],
    [{ offset: 4 }, ['0/0@1', '0/0@2', '0/0@3']],
    [{ topic: 'orders' }, ['0/0@1', '0/0@2', '0/0@3', '0/0@4']],
    [{ partition: 1 }, ['0/0@1', '0/0@2', '0/0@3', '0/0@4']],
    [{ table: 'sensors', code: 'EVENT_INVALID' }, ['0/0@1', '0/0@3', '0/0@4']],
    [{ where: "code = 'TRANSFORM_THREW' AND _offset > 1 -- the later one" }, ['0/0@1', '0/0@2', '0/0@3']],
    [{ where: 'octet_length(value) < 30', code: 'EVENT_INVALID' }, ['0/0@1', '0/0@3', '0/0@4']],
    [{ where: "stage = 'contract' OR stage = 'decode'", offset: 4 }, ['0/0@1', '0/0@2', '0/0@3', '0/0@4']],
  ])('%j: the others stay open', async (options, open) => {
    await call(options)
    expect(await openIn(lake)).toEqual(open)
  })

  test('a condition never chooses what is resolved, or the dead letters of another pipeline', async () => {
    const others = { ...sensors, name: 'others' }
    await deliver(lake, others, sensorEvent([reading(666)], 5))
    await call({ where: 'true', offset: 1 })
    const { found } = await call({ where: 'true' })
    expect(found).toBe(3)
    expect(await openIn(lake)).toEqual(['0/0@3', '0/5@0'])
  })

  test.each<[Omit<RedriveCall, 'lake'>, RegExp]>([
    [{ where: 'cod = 1' }, /^--where: Binder Error: Referenced column "cod" not found/],
    [{ where: ')' }, /^--where: Parser Error/],
    [{ table: 'orders' }, /^there are no dead letters in orders_dead_letters; those are in sensors_dead_letters$/],
    [{ epoch: 0 }, /^--epoch is said of failed batches: it needs --failure-destination$/],
    [{ function: 'f' }, /^--function is said of failed batches/],
    [{ failureDestination: 'x', where: 'true' }, /^--where chooses among dead letters; the batches of a failure dest/],
    [{ failureDestination: 'x', offset: 0 }, /^--offset chooses among dead letters/],
    [{ failureDestination: '.' }, /holds the lake itself: name the folder that the batches wait in$/],
  ])('%j is a wrong call, and it is said why', async (options, message) => {
    const located = options.failureDestination === '.' ? { failureDestination: directory() } : options
    const refused = expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) })
    await expect(call(located)).rejects.toEqual(refused)
    expect(await openIn(lake)).toHaveLength(4)
  })
})

test('what fails is told, with the reason', async () => {
  const [file] = (await committedFiles(lake)).get('sensors_dead_letters') ?? []
  await lake.delete(file?.path ?? '')
  const outcome = await call()
  expect(outcome).toMatchObject({ found: 4, failed: 4 })
  expect(redrivePage(outcome)).toMatch(
    /failed\n.*\n.* 4\nfailed: sensors-0@1…4, 4 records: LOG_CORRUPT: tables\/.*\.parquet is missing, but a commit names it/,
  )
})

describe('failed batches', () => {
  const wait = async (event: unknown, functionName?: string): Promise<void> => {
    const { key, body } = failedBatch(event, functionName)
    await new DirectoryStore(failed).put(key, Buffer.from(body))
  }

  test('land, and what stays is told', async () => {
    await wait(sensorEvent([reading(1), reading(5), '{'], 1))
    await wait(sensorEvent([reading(1)], 2), 'inlet-dev-others')
    await mkdir(failed, { recursive: true })
    await writeFile(path.join(failed, 'notes.txt'), 'to do')
    const outcome = await call({ failureDestination: failed })
    expect(redrivePage(outcome)).toBe(
      [
        'found  landed as rows  skipped  rejected  already in the lake  failed',
        '─────  ──────────────  ───────  ────────  ───────────────────  ──────',
        '    3               2        0         1                    0       0',
        'What sensors rejects is a dead letter again; "dead-letters ls" says why.',
        'left: notes.txt: not a failure record: the record is not JSON',
        '1 object is a batch of another function or topic, and stays where it is.',
      ].join('\n'),
    )
    expect(await originsIn(lake, 'sensors')).toEqual(['0@0.0', '1@0.0', '1@1.0'])
    expect(await keysOf(new DirectoryStore(failed), '')).toHaveLength(2)
    expect(redrivePage(await call({ failureDestination: path.join(directory(), 'none') }))).toMatch(
      /^No batches of sensors wait in .*none\.$/,
    )
  })

  test('of a topic with several epochs need to be told theirs', async () => {
    await wait(sensorEvent([reading(7)], 0, 5))
    const cluster = 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5'
    await beginEpoch(lake, { pipeline: 'sensors', generation: 0, cluster, topic: 'sensors' }, 0)
    await expect(call({ failureDestination: failed })).rejects.toEqual(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining('is in epoch 1') }),
    )
    expect(await call({ failureDestination: failed, epoch: 0 })).toMatchObject({ found: 1, written: 1 })
  })
})
