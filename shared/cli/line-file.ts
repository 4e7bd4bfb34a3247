import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import process from 'node:process'
import { pipeline as piped, type Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { compressionOf } from '#shared/sources/compressed.ts'
import { UsageError } from './failure.ts'

/** A line of a file, without its end. */
export interface Line {
  /** From 1. */
  readonly number: number
  readonly bytes: Buffer
}

/** A file that is read line by line, and never held whole. */
export interface LineFile {
  /** As it was asked for; `standard input` for `-`. */
  readonly name: string
  /** As it lies on the disk; null when nobody knows. */
  readonly bytes: number | null
  /** @param onRead is told of bytes that were read from the disk. @throws UsageError when the file cannot be read */
  lines(onRead: (bytes: number) => void): AsyncGenerator<Line>
}

const STANDARD_INPUT = '-'
const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

/**
 * Opens a file of lines: plain, or compressed by gzip or zstd.
 * @param file its path, or `-` for standard input, which is plain
 * @throws UsageError when there is none
 */
export async function openLineFile(file: string): Promise<LineFile> {
  if (file === STANDARD_INPUT)
    return { name: 'standard input', bytes: null, lines: (onRead) => linesOf(counted(process.stdin, onRead)) }
  try {
    const handle = await open(file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
      const stat = await handle.stat()
      const compression = compressionOf(buffer.subarray(0, bytesRead))
      const lines = (onRead: (bytes: number) => void) => fileLines(file, compression, onRead)
      return { name: file, bytes: stat.isFile() ? stat.size : null, lines }
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new UsageError(`--from ${file}: ${(error as Error).message}`, { cause: error })
  }
}

async function* fileLines(
  file: string,
  compression: ReturnType<typeof compressionOf>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Line> {
  const stream = counted(createReadStream(file, { highWaterMark: 256 * 1024 }), onRead)
  try {
    if (compression === undefined) yield* linesOf(stream)
    // What goes wrong reaches the reader through the last of the streams.
    else
      yield* linesOf(piped(stream, compression === 'gzip' ? createGunzip() : createZstdDecompress(), () => undefined))
  } catch (error) {
    throw new UsageError(`--from ${file}: ${(error as Error).message}`, { cause: error })
  }
}

function counted(stream: Readable, onRead: (bytes: number) => void): Readable {
  return stream.on('data', (chunk: Buffer) => onRead(chunk.length)).pause()
}

/** The lines of a stream that have a character. */
async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Line> {
  let number = 0
  /** The pieces of a line that has not ended yet. */
  let begun: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      begun.push(chunk.subarray(start, end))
      number += 1
      const bytes = begun.length === 1 && begun[0] !== undefined ? begun[0] : Buffer.concat(begun)
      if (hasCharacter(bytes)) yield { number, bytes }
      begun = []
      start = end + 1
    }
    if (start < chunk.length) begun.push(chunk.subarray(start))
  }
  const bytes = Buffer.concat(begun)
  if (hasCharacter(bytes)) yield { number: number + 1, bytes }
}

function hasCharacter(line: Buffer): boolean {
  return line.length > 1 || (line.length === 1 && line[0] !== CARRIAGE_RETURN)
}
