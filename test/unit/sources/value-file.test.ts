import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { mskEventsOf, readValueFile } from '#shared/sources/value-file.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('readValueFile', () => {
  test('a line is a value, byte for byte; lines without a character are none', () => {
    const { values } = readValueFile(bytes('{"a":1}\r\n\n\r\n é \n{"b":2}'), 1)
    expect(values.map((value) => new TextDecoder().decode(value))).toEqual(['{"a":1}\r', ' é ', '{"b":2}'])
  })

  test('bytes that are not UTF-8 stay what they are', () => {
    expect(readValueFile(Uint8Array.of(0xff, 0x0a, 0xc3), 1).values).toEqual([Uint8Array.of(0xff), Uint8Array.of(0xc3)])
  })

  test('the identity is the content and the number of partitions', () => {
    const clusterOf = (text: string, partitions: number) => {
      const [event] = mskEventsOf(readValueFile(bytes(text), partitions), 't', 10)
      return parseMskEvent(event).source.cluster
    }
    expect(clusterOf('a\nb\n', 2)).toBe(clusterOf('a\nb\n', 2))
    expect(clusterOf('a\nb\n', 2)).not.toBe(clusterOf('a\nb\n', 3))
    expect(clusterOf('a\nb\n', 2)).not.toBe(clusterOf('a\nc\n', 2))
  })
})

test.each([1, 2, 3, 7, 100])('batches of %i give every line the same partition and offset', (batch) => {
  const lines = Array.from({ length: 20 }, (_, i) => `v${i}`)
  const places = new Map<string, string>()
  for (const event of mskEventsOf(readValueFile(bytes(lines.join('\n')), 3), 't', batch)) {
    const { partitions } = parseMskEvent(event)
    expect(partitions.reduce((sum, { records }) => sum + records.length, 0)).toBeLessThanOrEqual(batch)
    for (const { partition, records } of partitions) {
      for (const { offset, value } of records)
        places.set(new TextDecoder().decode(value ?? undefined), `${partition}@${offset}`)
    }
  }
  expect([...places.entries()]).toHaveLength(20)
  for (const [i, line] of lines.entries()) expect(places.get(line)).toBe(`${i % 3}@${Math.floor(i / 3)}`)
})
