import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { compressionOf, decompress } from '#shared/sources/compressed.ts'

const pieces = fc.array(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  {
    minLength: 1,
    maxLength: 5,
  },
)
/** A skippable frame (RFC 8878, section 3.1.2), as pzstd puts before each of its frames. */
const skippable = (bytes: Uint8Array): Buffer => {
  const head = Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  head.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([head, bytes])
}

test('zstd of any number of frames, skippable ones among them, is all of their content', () => {
  fc.assert(
    fc.property(pieces, fc.boolean(), (parts, skips) => {
      const frames = parts.flatMap((part) => [...(skips ? [skippable(part)] : []), zstdCompressSync(part)])
      const compressed = Buffer.concat(frames)
      expect(compressionOf(compressed)).toBe('zstd')
      expect(Buffer.from(decompress(compressed, 'zstd'))).toEqual(Buffer.concat(parts))
    }),
    { numRuns: 30 },
  )
})

test('frames beyond the chunks that they are decompressed in', () => {
  const parts = [Buffer.alloc(300_000, 'abc'), Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) >> 3))]
  const compressed = Buffer.concat([...parts, ...parts].map((part) => zstdCompressSync(part)))
  expect(Buffer.concat([...parts, ...parts]).equals(decompress(compressed, 'zstd'))).toBe(true)
})

test('gzip of several members is all of their content', () => {
  const compressed = Buffer.concat([gzipSync('a\n'), gzipSync('b\n')])
  expect(compressionOf(compressed)).toBe('gzip')
  expect(Buffer.from(decompress(compressed, 'gzip')).toString()).toBe('a\nb\n')
})

test.each(['gzip', 'zstd'] as const)('%s that is cut or followed by something else is an error, not less', (format) => {
  const whole = format === 'gzip' ? gzipSync('some text') : zstdCompressSync('some text')
  for (const damaged of [
    whole.subarray(0, -1),
    Buffer.concat([whole, whole.subarray(0, -1)]),
    Buffer.concat([whole, Buffer.from('x')]),
    Buffer.from('plain'),
  ])
    expect(() => decompress(damaged, format)).toThrow(/unexpected end|header|unknown frame/i)
})

test.each([[''], ['{}'], ['P'], ['\u001f'], ['(\u00b5']])('%j is not compressed', (text) => {
  expect(compressionOf(Buffer.from(text, 'latin1'))).toBeUndefined()
})
