import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { inspectFile } from '#shared/cli/inspect.ts'
import { inspectPage } from '#shared/cli/inspect-page.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { sensorEvent } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()

interface RawRecord {
  offset?: unknown
  timestamp?: number
  timestampType?: string
  key?: string | null
  value?: string | null
  headers?: unknown
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

async function file(
  partitions: Readonly<Record<number, readonly RawRecord[]>>,
  name = 'event.json.gz',
): Promise<string> {
  const records = Object.entries(partitions).map(([partition, list]) => [
    `t-${partition}`,
    list.map((record) => ({ topic: 't', partition: Number(partition), timestamp: 0, value: base64('v'), ...record })),
  ])
  const event = { ...(sensorEvent([]) as object), records: Object.fromEntries(records) }
  const place = path.join(directory(), name)
  await writeFile(place, gzipSync(JSON.stringify(event)))
  return place
}

const HEADERS = [{ b: [1, 2] }, { a: [-1] }, { b: [] }]

test('what an event holds, by Kafka partition', async () => {
  const place = await file({
    3: [{ offset: 7 }],
    0: [
      { offset: 14, timestamp: 500, timestampType: 'LOG_APPEND_TIME', key: base64('key'), value: base64('12345') },
      { offset: 10, timestamp: 900, timestampType: 'CREATE_TIME', value: '', headers: HEADERS },
      { offset: 11, timestamp: 700, value: null },
      { offset: 14, timestamp: 600, value: null },
      { offset: 20, timestamp: 800, key: '', value: base64('1234567890') },
    ],
  })
  const [inspected, ...others] = await inspectFile(place)
  expect(others).toEqual([])
  expect(inspected?.summary).toEqual({
    file: place,
    index: 0,
    cluster: 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
    topic: 't',
    payload: expect.any(Number),
    partitions: [
      {
        partition: 0,
        records: 5,
        offsets: [10, 20],
        gaps: [
          [12, 13],
          [15, 19],
        ],
        repeated: [14],
        timestamps: [500, 900],
        timestampTypes: ['CREATE_TIME', 'LOG_APPEND_TIME'],
        // 3 + 5 of the first; names and values of the headers; 10 of the last.
        bytes: 8 + 6 + 10,
        base64: 4 + 8 + 16,
        nullKeys: 3,
        tombstones: 2,
        emptyValues: 1,
        headers: ['a', 'b'],
      },
      expect.objectContaining({ partition: 3, records: 1, offsets: [7, 7], gaps: [], repeated: [], headers: [] }),
    ],
  })
  expect(inspected?.records.map(({ partition, offset }) => [partition, offset])).toEqual([
    [0, 10],
    [0, 11],
    [0, 14],
    [0, 14],
    [0, 20],
    [3, 7],
  ])
})

test('the payload is the event as Lambda sends it', async () => {
  const place = await file({ 0: [{ offset: 1, value: base64('x'.repeat(9000)) }] })
  const [inspected] = await inspectFile(place)
  expect(inspected?.summary.payload).toBeGreaterThan(12_000)
  expect(inspected?.summary.payload).toBeLessThan(12_600)
  expect(inspectPage(inspected as never, false)).toContain("12.3 kB for 1 record: 0.2% of Lambda's 6.0 MB")
})

test('several events in a file are told apart', async () => {
  const place = path.join(directory(), 'events.json')
  const event = sensorEvent(['1'])
  await writeFile(place, JSON.stringify([event, event, { eventSource: 'aws:s3' }]))
  await expect(inspectFile(place)).rejects.toThrow(/^.*events\.json, event 2: not an MSK event: eventSource: /)
  await writeFile(place, JSON.stringify([event, event]))
  expect((await inspectFile(place)).map(({ summary }) => summary.index)).toEqual([0, 1])
})

test('a malformed event: the one clear error of who reads it, and the file', async () => {
  const place = await file({ 0: [{ offset: 1 }, { offset: '2' }] })
  await expect(inspectFile(place)).rejects.toThrow(
    `${place}: not an MSK event: records["t-0"][1].offset: expected an integer from 0 to 2^53 − 1, found "2"`,
  )
})

test('the page says what is unusual, and lists records when asked', async () => {
  const place = await file({
    0: [
      { offset: 1, timestamp: 1_700_000_000_000, value: base64('\u001b[31mred'), key: base64('k'), headers: HEADERS },
      { offset: 3, timestamp: 9e15, value: null },
      { offset: 3, value: '' },
      { offset: 9, value: Buffer.from([0xff]).toString('base64'), key: '' },
    ],
  })
  const [inspected] = await inspectFile(place)
  const [page, whole] = [inspectPage(inspected as never, false), inspectPage(inspected as never, true)]
  expect(page).toContain(
    'partition 0: lacks 6 offsets (2, 4…8), has offsets more than once: 3, 1 tombstone, 1 empty value, 2 records without a key',
  )
  expect(page).toMatch(/\n +0 +4 +1…9 +1970-01-01T00:00:00\.000Z +9000000000000000 +CREATE_TIME /)
  expect(whole.startsWith(`${page}\n\n`)).toBe(true)
  const listed = whole.slice(page.length).trim().split('\n').slice(2)
  expect(listed).toEqual([
    't-0@1   2023-11-14T22:13:20.000Z  k          8  \\x1b[31mred  b, a, b',
    't-0@3   9000000000000000          –          –  tombstone    –',
    't-0@3   1970-01-01T00:00:00.000Z  –          0  empty        –',
    't-0@9   1970-01-01T00:00:00.000Z  empty      1  0xff         –',
  ])
})

test('the samples of this project can be read, and have nothing unusual but what they are for', async () => {
  for (const [name, note] of [
    ['batch', undefined],
    ['tombstone', 'partition 0: 2 tombstones, 1 empty value, 1 record without a key'],
  ] as const) {
    const [inspected] = await inspectFile(path.join(projectRoot, `events/flights/${name}.json`))
    expect(/^notes +(?<note>.*)$/m.exec(inspectPage(inspected as never, false))?.groups?.['note']).toBe(note)
  }
})
