import { type AvroFile, decodeAvroFile, encodeAvroFile } from '#shared/lake/iceberg/avro-file.ts'
import { type AvroCodec, avroContainer } from '#test/helpers/avro-container.ts'

const SCHEMA = {
  type: 'record',
  name: 'r',
  fields: [
    { name: 'id', type: 'long', 'field-id': 1 },
    { name: 'text', type: ['null', 'string'], default: null, 'field-id': 2 },
    {
      name: 'at',
      type: ['null', { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true }],
      'field-id': 3,
    },
    { name: 'list', type: { type: 'array', items: 'long', 'element-id': 5 }, 'field-id': 4 },
  ],
}
const FILE: AvroFile = {
  schema: SCHEMA,
  metadata: { 'format-version': '2', note: 'é' },
  records: [
    { id: 2n ** 63n - 1n, text: 'é😀', at: -(2n ** 63n), list: [] },
    { id: 0n, text: null, at: null, list: [1n, -1n] },
  ],
}
/** The same records, longs as avsc has them. */
const THEIRS = [
  { id: 7, text: 'a'.repeat(500), at: -5, list: [1, 2] },
  { id: -1, text: null, at: null, list: [] },
  { id: 2 ** 52, text: '', at: 0, list: [0] },
]
const OURS = [
  { id: 7n, text: 'a'.repeat(500), at: -5n, list: [1n, 2n] },
  { id: -1n, text: null, at: null, list: [] },
  { id: 2n ** 52n, text: '', at: 0n, list: [0n] },
]

test('a file survives, with what Avro does not know in its schema', () => {
  expect(decodeAvroFile('f', encodeAvroFile(FILE))).toEqual(FILE)
})

test('many records are in several blocks, none in no block', () => {
  const records = Array.from({ length: 2500 }, (_, i) => ({ id: BigInt(i), text: `${i}`, at: null, list: [] }))
  const many = encodeAvroFile({ ...FILE, records })
  expect(decodeAvroFile('f', many).records).toEqual(records)
  expect(decodeAvroFile('f', encodeAvroFile({ ...FILE, records: [] })).records).toEqual([])
})

test.each<AvroCodec>(['null', 'deflate', 'snappy', 'zstandard'])(
  'files of other writers, compressed by %s',
  (codec) => {
    const body = avroContainer(SCHEMA, THEIRS, codec)
    // At a place in a larger buffer, as a store may give it.
    const shifted = Buffer.concat([Buffer.alloc(3), body]).subarray(3)
    expect(decodeAvroFile('f', shifted)).toEqual({ schema: SCHEMA, metadata: {}, records: OURS })
  },
)

describe('what is no whole file is refused', () => {
  const body = avroContainer(SCHEMA, THEIRS)

  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'it is no Avro file'],
    ['something else', Buffer.from('PAR1 and more'), 'it is no Avro file'],
    ['half a header', body.subarray(0, 40), 'it ends within its header'],
    ['half a block', body.subarray(0, -30), 'is damaged'],
    ['a block without its end', body.subarray(0, -16), 'is damaged'],
    ['an unknown codec', avroContainer(SCHEMA, THEIRS, 'bzip2'), 'it is compressed by "bzip2"'],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeAvroFile('s3://b/f.avro', bytes)).toThrow(message)
    expect(() => decodeAvroFile('s3://b/f.avro', bytes)).toThrow('s3://b/f.avro: ')
  })

  test('a Snappy block with another checksum', () => {
    const damaged = avroContainer(SCHEMA, THEIRS.slice(0, 1), 'snappy')
    const at = damaged.lastIndexOf('aaaa')
    damaged.write('b', at)
    expect(() => decodeAvroFile('f', damaged)).toThrow('a block has another checksum')
  })

  test('a block that counts more records than it has', () => {
    const one = avroContainer(SCHEMA, THEIRS.slice(1, 2))
    const count = one.indexOf(Buffer.alloc(16, 0xab)) + 16
    one[count] = 4
    expect(() => decodeAvroFile('f', one)).toThrow(/ends within a record|is damaged/)
  })
})
