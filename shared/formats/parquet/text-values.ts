import type { ColumnChunk } from 'hyparquet'
import type { Column } from '#shared/pipeline/columns.ts'
import { type ChunkValues, isDictionarySmaller, type PlainPage, writeChunk } from './column-chunk.ts'
import type { ColumnValues, ParquetFile } from './column-values.ts'
import { Presence } from './presence.ts'
import { TextBytes } from './text-bytes.ts'
import { TextDictionary } from './text-dictionary.ts'

/** How many texts are taken before it is said that hardly any comes twice. */
const SAMPLE = 512
const MOSTLY = 0.9
/** Bytes of a page, about (what hyparquet-writer and parquet-java make of them). */
const PAGE_BYTES = 1 << 20

/** Texts: each that differs is kept once, or, where most of them do, each as the bytes that the file will hold. */
export class TextValues implements ColumnValues {
  readonly #column: Column
  readonly #presence: Presence
  /** Which text stands where; undefined when most texts differ. */
  #dictionary: TextDictionary | undefined = new TextDictionary()
  #texts = new TextBytes()

  constructor(column: Column) {
    this.#column = column
    this.#presence = new Presence(column.nullable)
  }

  get memory(): number {
    return this.#presence.memory + this.#texts.memory + (this.#dictionary?.memory ?? 0)
  }

  push(stored: unknown): void {
    this.#presence.push(stored !== null)
    if (stored === null) return
    const dictionary = this.#dictionary
    if (dictionary === undefined) this.#texts.push(stored as string)
    else {
      dictionary.push(stored as string)
      if (dictionary.count === SAMPLE && dictionary.size > MOSTLY * SAMPLE) {
        this.#dictionary = undefined
        this.#texts = dictionary.texts()
      }
    }
  }

  pop(): void {
    if (this.#presence.pop()) (this.#dictionary ?? this.#texts).pop()
  }

  chunks({ bytes }: ParquetFile): readonly ColumnChunk[] {
    const entries = this.#dictionary?.entries()
    const bounds = (entries ?? this.#texts).bounds()
    const values = this.#encoded(entries)
    const { name } = this.#column
    return [writeChunk(bytes, { name, type: 'BYTE_ARRAY' }, this.#presence, values, bounds)]
  }

  #encoded(entries: TextBytes | undefined): ChunkValues {
    const dictionary = this.#dictionary
    if (dictionary === undefined || entries === undefined) return { pages: pagesOf(this.#texts, this.#presence) }
    const plainBytes = dictionary.plainBytes(entries)
    if (isDictionarySmaller(entries.bytes.length, entries.count, dictionary.count, plainBytes))
      return { dictionary: entries.bytes, entries: entries.count, codes: dictionary.codes }
    return { pages: pagesOf(dictionary.texts(), this.#presence) }
  }
}

/** Pages begin with a row, and end when they are large enough. */
function pagesOf(texts: TextBytes, presence: Presence): PlainPage[] {
  if (texts.bytes.length <= PAGE_BYTES) return [{ rows: presence.rows, bytes: texts.bytes }]
  const pages: PlainPage[] = []
  let firstRow = 0
  let first = 0
  let count = 0
  for (let row = 0; row < presence.rows; row++) {
    if (presence.isThere(row)) count += 1
    const isLast = row === presence.rows - 1
    if (!isLast && texts.start(count) - texts.start(first) < PAGE_BYTES) continue
    pages.push({ rows: row + 1 - firstRow, bytes: texts.bytes.subarray(texts.start(first), texts.start(count)) })
    firstRow = row + 1
    first = count
  }
  return pages
}
