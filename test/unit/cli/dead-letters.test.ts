import { type DeadLetter, deadLetterGroups, deadLetters } from '#shared/cli/dead-letters.ts'
import { deadLettersPage, groupsPage } from '#shared/cli/dead-letters-page.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { mended, redrive, timeless } from '#test/helpers/mending-sensors.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'

let store: MemoryStore

const KEY = Buffer.from('s1')
const NOT_UTF8 = Buffer.from([0x7b, 0xff, 0x00])

/** Offsets 0 to 5: a row; two values that are no JSON; one that is not UTF-8; a missing field; one that throws. */
function event(): unknown {
  const made = sensorEvent([reading(1), '{', '[', '', '{"sensor":"s1","value":1}', reading(666)]) as {
    records: Record<string, Record<string, unknown>[]>
  }
  const records = made.records['sensors-0'] ?? []
  Object.assign(records[3] ?? {}, {
    value: NOT_UTF8.toString('base64'),
    key: KEY.toString('base64'),
    headers: [{ a: [104, -61, -85] }, { a: [-1] }],
  })
  return made
}

beforeEach(async () => {
  store = new MemoryStore()
  await deliver(store, sensors, event())
})

const positions = (found: readonly DeadLetter[]): string[] =>
  found.map(({ topic, partition, offset }) => `${topic}-${partition}@${offset}`)

describe('groups', () => {
  test('by table, stage, code and field; the newest of each is the example', async () => {
    const copies: Pipeline = { ...sensors, name: 'copies', table: { ...sensors.table, name: 'copies' } }
    await deliver(store, copies, sensorEvent(['{']))
    const groups = await deadLetterGroups(store)
    expect(groups.map(({ table, stage, code, field, open }) => [table, stage, code, field, open])).toEqual([
      ['copies_dead_letters', 'decode', 'JSON_INVALID', null, 1],
      ['sensors_dead_letters', 'decode', 'JSON_INVALID', null, 2],
      ['sensors_dead_letters', 'contract', 'EVENT_INVALID', 'at', 1],
      ['sensors_dead_letters', 'decode', 'UTF8_INVALID', null, 1],
      ['sensors_dead_letters', 'transform', 'TRANSFORM_THREW', null, 1],
    ])
    expect(groups.every(({ resolved }) => resolved === 0)).toBe(true)
    expect(groups[1]).toMatchObject({
      first: 1_700_000_000_001,
      last: 1_700_000_000_002,
      example: { position: 'sensors-0@2', message: expect.stringContaining('JSON') },
    })
    const of = async (table: string): Promise<Set<string>> =>
      new Set((await deadLetterGroups(store, table)).map((group) => group.table))
    expect(await of('sensors')).toEqual(new Set(['sensors_dead_letters']))
    expect(await of('copies_dead_letters')).toEqual(new Set(['copies_dead_letters']))
    await expect(of('nope')).rejects.toThrow(
      'there are no dead letters in nope_dead_letters; those are in copies_dead_letters, sensors_dead_letters',
    )
  })

  test('a lake without any says so; no lake is an error', async () => {
    const clean = new MemoryStore()
    await expect(deadLetterGroups(clean)).rejects.toThrow('there is no commit log here')
    await deliver(clean, sensors, sensorEvent([reading(1)]))
    expect(await deadLetterGroups(clean)).toEqual([])
    expect(await deadLetters(clean, {}, 10)).toEqual({ total: 0, deadLetters: [] })
    expect(groupsPage([])).toBe('There are no dead letters.')
  })
})

describe('one by one', () => {
  test('the newest first, with all that Kafka had', async () => {
    const { total, deadLetters: found } = await deadLetters(store, {}, 10)
    expect(total).toBe(5)
    expect(positions(found)).toEqual(['sensors-0@5', 'sensors-0@4', 'sensors-0@3', 'sensors-0@2', 'sensors-0@1'])
    expect(found[2]).toEqual({
      table: 'sensors_dead_letters',
      file: (await committedFiles(store)).get('sensors_dead_letters')?.[0]?.path,
      pipeline: 'sensors',
      pipelineVersion: sensors.version,
      topic: 'sensors',
      partition: 0,
      offset: 3,
      timestamp: 1_700_000_000_003,
      stage: 'decode',
      code: 'UTF8_INVALID',
      field: null,
      message: expect.stringContaining('UTF-8'),
      resolved: null,
      key: { base64: KEY.toString('base64'), text: 's1' },
      value: { base64: NOT_UTF8.toString('base64'), text: null },
      headers: [
        { name: 'a', value: { base64: Buffer.from('hë').toString('base64'), text: 'hë' } },
        { name: 'a', value: { base64: '/w==', text: null } },
      ],
    })
    expect(found[0]).toMatchObject({ key: null, headers: [], value: { text: reading(666) } })
  })

  test.each([
    [{ code: 'JSON_INVALID' }, [2, 1]],
    [{ field: 'at' }, [4]],
    [{ topic: 'sensors', partition: 0, offset: 3 }, [3]],
    [{ topic: "it's another" }, []],
    [{ partition: 1 }, []],
    [{ table: 'sensors', code: 'EVENT_INVALID' }, [4]],
  ])('those of %j', async (filter, offsets) => {
    const { total, deadLetters: found } = await deadLetters(store, filter, 10)
    expect(found.map(({ offset }) => offset)).toEqual(offsets)
    expect(total).toBe(offsets.length)
  })

  test('a limit', async () => {
    const { total, deadLetters: found } = await deadLetters(store, {}, 2)
    expect([total, positions(found)]).toEqual([5, ['sensors-0@5', 'sensors-0@4']])
    expect(deadLettersPage(total, found)).toMatch(/^2 of 5 dead letters, the newest first; --limit shows more\n/)
  })
})

test('resolved ones are shown with all of them, and what became of each', async () => {
  const failing: Pipeline = {
    ...mended,
    transform: () => {
      throw new RangeError('not yet')
    },
  }
  const choosy: Pipeline = {
    ...mended,
    transform: ({ record }) => (record.offset === 4 ? null : { sensor: 's1', at: new Date(0), value: 1 }),
  }
  await deliver(store, sensors, sensorEvent([timeless(7)], 0, 6))
  await redrive(store, choosy, { logs: { from: 4, to: 5 } })
  await redrive(store, failing, { logs: { from: 6 } })
  await redrive(store, mended, { logs: { from: 6 } })
  await redrive(store, mended, { logs: { from: 1, to: 1 } })

  const { total, deadLetters: open } = await deadLetters(store, {}, 10)
  expect([total, open.map(({ offset }) => offset)]).toEqual([3, [3, 2, 1]])
  expect(open.map(({ resolved }) => resolved)).toEqual([null, null, null])
  const all = (await deadLetters(store, { all: true }, 10)).deadLetters
  expect(all.map(({ offset, code, resolved }) => [offset, code, resolved?.as, resolved?.code])).toEqual([
    [6, 'TRANSFORM_THREW', 'row', null],
    [6, 'EVENT_INVALID', 'rejected again', 'TRANSFORM_THREW'],
    [5, 'TRANSFORM_THREW', 'row', null],
    [4, 'EVENT_INVALID', 'skipped', null],
    [3, 'UTF8_INVALID', undefined, undefined],
    [2, 'JSON_INVALID', undefined, undefined],
    [1, 'JSON_INVALID', undefined, undefined],
    [1, 'JSON_INVALID', 'rejected again', 'JSON_INVALID'],
  ])
  expect(all.map(({ resolved }) => resolved?.by.slice(-28) ?? null)).toEqual([
    '0000000000000006/000001.json',
    '0000000000000006/000000.json',
    '0000000000000000/000000.json',
    '0000000000000000/000000.json',
    null,
    null,
    null,
    '0000000000000000/000001.json',
  ])
  const page = deadLettersPage(8, all, true)
  expect(page).toMatch(
    /sensors-0@6 .*\n {2}status {3}resolved: rejected again, TRANSFORM_THREW, by log\/.*json\n {2}reason/,
  )
  expect(page).toMatch(/sensors-0@4 .*\n {2}status {3}resolved: it was skipped, by log\//)
  expect(page).toMatch(/sensors-0@3 .*\n {2}status {3}open\n/)
})

test('groups count open and resolved ones; the example is one that is open, as long as there is one', async () => {
  await redrive(store, mended, { logs: { from: 2, to: 5 } })
  const groups = await deadLetterGroups(store)
  expect(groups.map(({ code, open, resolved, example }) => [code, open, resolved, example.position])).toEqual([
    ['JSON_INVALID', 2, 1, 'sensors-0@2'],
    ['UTF8_INVALID', 1, 1, 'sensors-0@3'],
    ['EVENT_INVALID', 0, 1, 'sensors-0@4'],
    ['TRANSFORM_THREW', 0, 1, 'sensors-0@5'],
  ])
})

describe('pages', () => {
  test('bytes are text when they are, else hex; control characters are shown and cut text says so', async () => {
    const long = `{"a":"\u001b[31m${'x'.repeat(300)}`
    await deliver(store, sensors, sensorEvent([long, null, ''], 0, 6))
    const { total, deadLetters: found } = await deadLetters(store, {}, 10)
    const page = deadLettersPage(total, found)
    expect(page).toContain('value    0x7bff00\n')
    expect(page).toContain('headers  a: hë\n           a: 0xff\n')
    expect(page).toMatch(/value {4}\{"a":"\\x1b\[31mx+… {2}\(311 B; --json has all\)\n/)
    expect(page).toMatch(/sensors-0@8.*\n.*\n.*\n.*\n {2}key {6}none\n {2}value {4}empty/)
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  })

  test('groups are a table for each table, messages cut to the room', async () => {
    const page = groupsPage(await deadLetterGroups(store))
    expect(page).toMatch(/^sensors_dead_letters: 5 open, 0 resolved\n\nopen {2}resolved {2}stage/)
    expect(page).toContain('2023-11-14T22:13:20Z')
    expect(page).toMatch(/\n +2 +0 {2}decode +JSON_INVALID +– .* sensors-0@2 /)
    expect(Math.max(...page.split('\n').map((line) => line.length))).toBeLessThanOrEqual(160)
  })
})
