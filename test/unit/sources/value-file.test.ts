import { partitionLength, readValueFile, recordsOf } from '#shared/sources/value-file.ts'

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
    const { cluster } = readValueFile(bytes('a\nb\n'), 2)
    expect(readValueFile(bytes('a\nb\n'), 2)).toMatchObject({ cluster, partitions: 2 })
    expect(readValueFile(bytes('a\nb\n'), 3)).toMatchObject({ cluster, partitions: 3 })
    expect(readValueFile(bytes('a\nc\n'), 2).cluster).not.toBe(cluster)
  })
})

describe.each([1, 3, 7, 100])('over %i partitions', (partitions) => {
  const lines = Array.from({ length: 20 }, (_, i) => `v${i}`)
  const file = readValueFile(bytes(lines.join('\n')), partitions)

  test.each([1, 2, 100])('every line has its partition and offset, read by %i', (atMost) => {
    const places = new Map<string, string>()
    for (let partition = 0; partition < partitions; partition++) {
      const length = partitionLength(file, partition)
      for (let from = 0; from < length; from += atMost) {
        const records = recordsOf(file, 't', { partition, from, atMost })
        expect(records).toHaveLength(Math.min(atMost, length - from))
        for (const record of records)
          places.set(new TextDecoder().decode(record.value ?? undefined), `${record.partition}@${record.offset}`)
      }
      expect(recordsOf(file, 't', { partition, from: length, atMost })).toEqual([])
    }
    expect(places.size).toBe(20)
    for (const [i, line] of lines.entries())
      expect(places.get(line)).toBe(`${i % partitions}@${Math.floor(i / partitions)}`)
  })
})

test('a line has no key, no headers and no time', () => {
  const [record] = recordsOf(readValueFile(bytes('v'), 1), 't', { partition: 0, from: 0, atMost: 1 })
  expect(record).toEqual({
    topic: 't',
    partition: 0,
    offset: 0,
    timestamp: 0,
    timestampType: 'CREATE_TIME',
    key: null,
    value: bytes('v'),
    headers: [],
  })
})
