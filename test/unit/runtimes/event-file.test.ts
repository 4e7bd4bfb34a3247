import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { readEventFile, readMskEvents } from '#shared/runtimes/event-file.ts'
import { readValueFile } from '#shared/sources/value-file.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const PARTITIONS = 2
const VALUES = [reading(1), reading(2), reading(3)]
const LINES = Buffer.from(`${VALUES.join('\n')}\n`)
const EVENT = sensorEvent(VALUES)
const toBytes = (text: string): Uint8Array => Buffer.from(text)

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const place = path.join(directory(), name)
  await writeFile(place, content)
  return place
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
  const place = await file(name, content)
  const read = await readEventFile(place, PARTITIONS)
  const values = { cluster: readValueFile(LINES, PARTITIONS).cluster, partitions: 2, values: VALUES.map(toBytes) }
  expect(read).toMatchObject({ kind: 'values', name: place, records: 3, values })
})

test.each([
  ['event.json', JSON.stringify(EVENT)],
  ['event.json.gz', gzipSync(JSON.stringify(EVENT))],
  ['event.json.zst', zstdCompressSync(JSON.stringify(EVENT, null, 2))],
])('%s is an MSK event', async (name, content) => {
  const place = await file(name, content)
  expect(await readEventFile(place, PARTITIONS)).toEqual({ kind: 'events', name: place, records: 3, events: [EVENT] })
  expect(await readMskEvents(place)).toEqual([EVENT])
})

test('an array of MSK events', async () => {
  const place = await file('events.json', JSON.stringify([EVENT, EVENT]))
  expect(await readEventFile(place, PARTITIONS)).toMatchObject({ records: 6, events: [EVENT, EVENT] })
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
  await expect(readEventFile(place, PARTITIONS)).rejects.toThrow(message)
  await expect(readEventFile(place, PARTITIONS)).rejects.toThrow(place)
})

test('values are no MSK events', async () => {
  await expect(readMskEvents(await file('x.ndjson', LINES))).rejects.toThrow(
    'holds values, one a line, and no MSK events',
  )
})
