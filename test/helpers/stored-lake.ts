import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { fileRowsOf } from '#shared/formats/file-rows.ts'
import { decodeEntry, encodeEntry, type LogEntry } from '#shared/lake/log-entry.ts'
import { LOG_ROOT } from '#shared/lake/log-keys.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { MemoryStore } from './memory-store.ts'
import { readParquet } from './parquet-reader.ts'
import { keysOf } from './stored-keys.ts'

/** An entry of a log and where it lies. */
export interface StoredEntry {
  readonly key: string
  readonly entry: LogEntry
}

/** A data file and the entry that names it. */
export interface StoredFile extends StoredEntry {
  readonly file: DataFile
}

/** The objects of a lake as somebody who means harm, or errs, can change them: entries and files as they like. */
export class StoredLake {
  readonly store = new MemoryStore()
  readonly #tables: readonly Table[]

  constructor(tables: readonly Table[]) {
    this.#tables = tables
  }

  /** A copy of a lake. @param tables those it has */
  static async of(store: MemoryStore, tables: readonly Table[]): Promise<StoredLake> {
    const lake = new StoredLake(tables)
    for (const key of await keysOf(store, '')) await lake.store.put(key, (await store.get(key)) as Uint8Array)
    return lake
  }

  async body(key: string): Promise<Uint8Array> {
    const body = await this.store.get(key)
    if (body === undefined) throw new Error(`there is no ${key}`)
    return body
  }

  /** In the order of their keys: log by log, amendments before commits, the newest commit first. */
  async entries(): Promise<StoredEntry[]> {
    const keys = (await keysOf(this.store, LOG_ROOT)).filter((key) => /\/(commits|amendments)\//.test(key))
    return Promise.all(keys.map(async (key) => ({ key, entry: decodeEntry(key, await this.body(key)) })))
  }

  async files(): Promise<StoredFile[]> {
    return (await this.entries()).flatMap(({ key, entry }) => entry.files.map((file) => ({ key, entry, file })))
  }

  async putEntry(key: string, entry: LogEntry): Promise<void> {
    await this.store.put(key, encodeEntry(entry))
  }

  async rows({ path }: DataFile): Promise<Row[]> {
    const body = await this.body(path)
    if (path.endsWith('.parquet')) return readParquet(body)
    const text = path.endsWith('.gz') ? gunzipSync(body) : zstdDecompressSync(body)
    const lines = text.toString().trimEnd().split('\n')
    return lines.map((line) => JSON.parse(line) as Row)
  }

  /**
   * Writes other rows to a file, and to its entry what the file then is: rows, bytes, checksum and the sum of the rows.
   * @returns the entry as it then is
   */
  async putRows({ key, entry, file }: StoredFile, rows: readonly Row[]): Promise<LogEntry> {
    const body = this.#encode(file, rows)
    await this.store.put(file.path, body)
    const sha256 = createHash('sha256').update(body).digest('hex')
    const changed = { ...file, rows: rows.length, bytes: body.length, sha256 }
    const added = file.table.endsWith('_dead_letters') ? 0 : rows.length - file.rows
    const counts = { ...entry.counts, rows: entry.counts.rows + added }
    const files = entry.files.map((one) => (one.path === file.path ? changed : one))
    await this.putEntry(key, { ...entry, counts, files })
    return { ...entry, counts, files }
  }

  #encode({ table, path }: DataFile, rows: readonly Row[]): Uint8Array {
    if (path.endsWith('.parquet')) {
      const found = this.#tables.find(({ name }) => name === table)
      if (found === undefined) throw new Error(`there is no table ${table}`)
      const file = fileRowsOf({ ...found, format: 'parquet' })
      for (const row of rows) file.append(row)
      return file.encode({}).body
    }
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    return path.endsWith('.gz') ? gzipSync(text) : zstdCompressSync(text)
  }
}
