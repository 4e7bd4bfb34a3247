import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { readEventFile, readMskEvents } from '#shared/runtimes/event-file.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const OPTIONS = { topic: 'sensors', partitions: 2, batch: 2 }
const VALUES = [reading(1), reading(2), reading(3)]
const LINES = Buffer.from(`${VALUES.join('\n')}\n`)
const EVENT = sensorEvent(VALUES)

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const place = path.join(directory(), name)
  await writeFile(place, content)
  return place
}

async function eventsOf(name: string): Promise<{ records: number; events: unknown[] }> {
  const { records, events } = await readEventFile(name, OPTIONS)
  return { records, events: [...events()] }
}

test.each([
  ['values.ndjson', LINES],
  ['values.jsonl', LINES],
  ['values.ndjson.gz', gzipSync(LINES)],
  ['values.jsonl.zst', zstdCompressSync(LINES)],
  // Made by concatenation, or by a compressor of many threads.
  [
    'values.ndjson.zst',
    Buffer.concat([LINES.subarray(0, 100), LINES.subarray(100)].map((part) => zstdCompressSync(part))),
  ],
  // The content is what counts when the name promises nothing.
  ['compressed.ndjson', gzipSync(LINES)],
])('%s: the same records, with the same identity', async (name, content) => {
  const plain = await eventsOf(await file('plain.ndjson', LINES))
  const read = await eventsOf(await file(name, content))
  expect(read).toEqual(plain)
  expect(read.records).toBe(3)
  const deliveries = read.events.map(parseMskEvent)
  expect(deliveries.map(({ partitions }) => partitions.map(({ records }) => records.length))).toEqual([[1, 1], [1]])
})

test.each([
  ['event.json', JSON.stringify(EVENT)],
  ['event.json.gz', gzipSync(JSON.stringify(EVENT))],
  ['event.json.zst', zstdCompressSync(JSON.stringify(EVENT, null, 2))],
])('%s is an MSK event', async (name, content) => {
  const place = await file(name, content)
  expect(await eventsOf(place)).toEqual({ records: 3, events: [EVENT] })
  expect(await readMskEvents(place)).toEqual([EVENT])
})

test('an array of MSK events', async () => {
  const place = await file('events.json', JSON.stringify([EVENT, EVENT]))
  expect(await eventsOf(place)).toEqual({ records: 6, events: [EVENT, EVENT] })
})

test.each([
  ['x.json.gz', '{}', 'it is not gzip'],
  ['x.ndjson.zst', gzipSync('{}'), 'it is not zstd'],
  ['x.json.gz', gzipSync('{}').subarray(0, -4), 'its gzip is damaged: unexpected end of file'],
  ['x.ndjson.zst', zstdCompressSync('{}').subarray(0, -2), 'its zstd is damaged'],
  ['x.json', '{"a":', 'as an MSK event: it is not JSON'],
  ['x.json', Buffer.from([0x22, 0xff, 0x22]), 'as an MSK event: it is not JSON'],
  ['x.csv', 'a,b', 'cannot tell what'],
])('%s: %#', async (name, content, message) => {
  const place = await file(name, content)
  await expect(readEventFile(place, OPTIONS)).rejects.toThrow(message)
  await expect(readEventFile(place, OPTIONS)).rejects.toThrow(place)
})

test('values are no MSK events', async () => {
  await expect(readMskEvents(await file('x.ndjson', LINES))).rejects.toThrow(
    'holds values, one a line, and no MSK events',
  )
})
