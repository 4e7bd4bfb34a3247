import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import type { Column } from '#shared/pipeline/columns.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { EncodedFile, FileRows } from './file-rows.ts'
import { type JsonText, orNull } from './json-text.ts'
import { type RowReader, rowReaderOf } from './row-reader.ts'
import { UnstorableError } from './unstorable.ts'

/** Rows that become one file of JSON Lines: valid UTF-8, one object a line, every column in every line. */
export class JsonLinesRows implements FileRows {
  /** Not every reader goes on behind the first frame of Zstandard: Node's does not. */
  readonly canSpill: boolean
  readonly encoded = 0
  readonly #read: RowReader
  readonly #columns: readonly Column[]
  /** What stands before each column's value. */
  readonly #keys: readonly string[]
  readonly #texts: readonly JsonText[]
  readonly #compression: 'gzip' | 'zstd'
  #lines: string[] = []
  #bytes = 0
  #spilled = 0

  constructor(columns: readonly Column[], compression: 'gzip' | 'zstd') {
    this.#columns = columns
    this.#read = rowReaderOf(columns)
    this.#keys = columns.map(({ name }, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`)
    this.#texts = columns.map(orNull)
    this.#compression = compression
    this.canSpill = compression === 'gzip'
  }

  get count(): number {
    return this.#spilled + this.#lines.length
  }

  get memory(): number {
    return this.#bytes
  }

  append(row: Row, own?: Row): void {
    const stored = this.#read(row, own)
    // Joined: a line that grows by += stays a tree of pieces, and 9,000 of them are half of the cost.
    const parts: string[] = []
    for (let i = 0; i < stored.length; i++) parts.push(this.#keys[i] as string, this.#text(i, stored[i]))
    parts.push('}\n')
    const line = parts.join('')
    this.#lines.push(line)
    this.#bytes += memoryOf(line)
  }

  removeLast(): void {
    this.#bytes -= memoryOf(this.#lines.pop() ?? '')
  }

  settle(): void {}

  /** A member of gzip of its own: a file may have any number of them (RFC 1952, section 2.2). */
  spill(): Uint8Array {
    const bytes = this.#compressed()
    this.release()
    return bytes
  }

  release(): void {
    this.#spilled = this.count
    this.#lines = []
    this.#bytes = 0
  }

  encode(): EncodedFile {
    const isSpilled = this.#lines.length === 0 && this.#spilled > 0
    return { body: isSpilled ? new Uint8Array() : this.#compressed(), statistics: null }
  }

  #compressed(): Uint8Array {
    try {
      const text = Buffer.from(this.#lines.join(''), 'utf8')
      if (this.#compression === 'gzip') return gzipSync(text, { level: 6 })
      return zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new InletError('ENCODE_FAILED', `${this.count} rows could not be encoded as JSON Lines: ${reason}`, {
        cause: error,
      })
    }
  }

  #text(i: number, stored: unknown): string {
    try {
      return (this.#texts[i] as JsonText)(stored)
    } catch (error) {
      if (!(error instanceof UnstorableError)) throw error
      throw new UnstorableError(error.message, this.#columns[i]?.name ?? null)
    }
  }
}

/** Of a line as a string. */
function memoryOf(line: string): number {
  return 32 + 2 * line.length
}
