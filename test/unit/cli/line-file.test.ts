import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { openLineFile } from '#shared/cli/line-file.ts'
import { readValueFile } from '#shared/sources/value-file.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()

async function linesOf(content: Uint8Array): Promise<{ lines: (readonly [number, string])[]; read: number }> {
  const file = path.join(directory(), 'file')
  await writeFile(file, content)
  let read = 0
  const lines: (readonly [number, string])[] = []
  for await (const { number, bytes } of (await openLineFile(file)).lines((count) => (read += count)))
    lines.push([number, bytes.toString('latin1')])
  return { lines, read }
}

test.each([
  ['plain', (text: Buffer) => text],
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
])('lines of a %s file are numbered, those without a character too, and left out', async (_name, compressed) => {
  const content = compressed(Buffer.from('one\n\n\r\ntwo\r\n \nlast'))
  const { lines, read } = await linesOf(content)
  expect(lines).toEqual([
    [1, 'one'],
    [4, 'two\r'],
    [5, ' '],
    [6, 'last'],
  ])
  expect(read).toBe(content.length)
})

test('a line may be longer than what is read at a time', async () => {
  const long = 'x'.repeat(700_000)
  expect((await linesOf(Buffer.from(`a\n${long}\nb\n`))).lines).toEqual([
    [1, 'a'],
    [2, long],
    [3, 'b'],
  ])
})

test('they are the values that a run reads of the same file', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('\n', '\r', 'a', 'bc', '\n\n', 'é')), async (parts) => {
      const content = Buffer.from(parts.join(''))
      const { lines } = await linesOf(content)
      const values = readValueFile(content, 1).values.map((value) => Buffer.from(value).toString('latin1'))
      expect(lines.map(([, line]) => line)).toEqual(values)
    }),
  )
})

test('a file that is not there, or damaged, is named', async () => {
  await expect(openLineFile('/no/such/file')).rejects.toThrow('--from /no/such/file: ENOENT')
  await expect(linesOf(gzipSync(Buffer.from('one\ntwo\n')).subarray(0, 20))).rejects.toThrow(/--from .*: /)
})
