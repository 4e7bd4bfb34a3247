import { murmur2, partitionOfKey } from '#shared/sources/murmur2.ts'

// Apache Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('%s is hashed as by Java', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash)
})

test('a key lies in its buffer wherever it likes', () => {
  expect(murmur2(Buffer.from('--foobar--').subarray(2, 8))).toBe(-790332482)
})

test('a negative hash is a partition too', () => {
  expect(partitionOfKey(Buffer.from('foobar'), 7)).toBe((-790332482 & 0x7fffffff) % 7)
  expect(partitionOfKey(Buffer.from('abc'), 1)).toBe(0)
})
