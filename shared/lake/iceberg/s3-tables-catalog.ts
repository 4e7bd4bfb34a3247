import {
  CreateTableCommand,
  GetTableMetadataLocationCommand,
  type GetTableMetadataLocationResponse,
  type S3TablesClient,
  UpdateTableMetadataLocationCommand,
} from '@aws-sdk/client-s3tables'
import { catalogCall } from '#shared/lake/catalog-call.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { PointerService, TablePointer } from './pointer-catalog.ts'
import type { CommitOutcome } from './table-catalog.ts'

/** A namespace of a table bucket. */
export interface S3TablesNamespace {
  /** ARN. */
  readonly bucket: string
  readonly namespace: string
}

/**
 * The tables of a namespace of an Amazon S3 table bucket. It differs from the other catalogs in this:
 *
 * - S3 chooses where a table lies, a bucket of its own, when an entry is made for it, which has no metadata at first.
 * - Metadata has to lie there ("UpdateTableMetadataLocation"), and data belongs there (see `LakeStore`). Objects can be put (also
 *   if absent), read and asked for, but neither listed nor deleted (Amazon S3 API Reference, "Supported Amazon S3 object-level API
 *   operations for S3 Tables").
 * - S3 removes what no metadata has named for three days, so that the log must not wait for a committer for as long. It expires
 *   snapshots, and compacts files as one more writer, whose commits may come first: files that the log names are gone then. A
 *   table of dead letters must not be compacted, for a redrive reads the files of the log.
 * - Snapshots that the table's own properties want kept for longer stop S3 from expiring any (S3 User Guide, "Considerations
 *   and limitations for maintenance jobs").
 *
 * Needs `s3tables:GetTableMetadataLocation`; `s3tables:CreateTable` for `locationOf`, `s3tables:UpdateTableMetadataLocation` to
 * place and move; and for the objects `s3tables:GetTableData` and `s3tables:PutTableData` instead of S3's own.
 */
export class S3TablePointers implements PointerService<TablePointer> {
  readonly #client: S3TablesClient
  readonly #namespace: S3TablesNamespace

  constructor(client: S3TablesClient, namespace: S3TablesNamespace) {
    this.#client = client
    this.#namespace = namespace
  }

  /** URI that S3 has chosen for a table. Makes an entry without metadata when there is none of that name. */
  async locationOf(table: string): Promise<string> {
    const there = (await this.#entryOf(table)) ?? (await this.#makeEntry(table))
    return (there.warehouseLocation ?? '').replace(/\/+$/, '')
  }

  async find(table: string): Promise<TablePointer | undefined> {
    const { metadataLocation: location = '', versionToken: token = '' } = (await this.#entryOf(table)) ?? {}
    return location === '' ? undefined : { location, token }
  }

  async place(table: string, location: string): Promise<CommitOutcome> {
    const entry = await this.#entryOf(table)
    if (entry === undefined)
      throw new InletError('STORE_UNAVAILABLE', `${this.#nameOf(table)} was dropped since S3 has chosen its location`)
    if ((entry.metadataLocation ?? '') !== '') return 'conflict'
    return this.#swap(table, entry.versionToken ?? '', location)
  }

  move(table: string, { token }: TablePointer, location: string): Promise<CommitOutcome> {
    return this.#swap(table, token, location)
  }

  async #swap(table: string, versionToken: string, metadataLocation: string): Promise<CommitOutcome> {
    const update = new UpdateTableMetadataLocationCommand({ ...this.#name(table), versionToken, metadataLocation })
    const answer = await catalogCall(
      `cannot change ${this.#nameOf(table)}`,
      (options) => this.#client.send(update, options),
      { refusals: ['ConflictException', 'NotFoundException'] },
    )
    return answer === undefined ? 'conflict' : 'committed'
  }

  #entryOf(table: string): Promise<GetTableMetadataLocationResponse | undefined> {
    const get = new GetTableMetadataLocationCommand(this.#name(table))
    return catalogCall(`cannot read ${this.#nameOf(table)}`, (options) => this.#client.send(get, options), {
      refusals: ['NotFoundException'],
    })
  }

  async #makeEntry(table: string): Promise<GetTableMetadataLocationResponse> {
    const create = new CreateTableCommand({ ...this.#name(table), format: 'ICEBERG' })
    const cannot = `cannot make ${this.#nameOf(table)}`
    await catalogCall(cannot, (options) => this.#client.send(create, options), {
      // Another writer was faster, or our own first request was.
      refusals: ['ConflictException'],
      advice: { NotFoundException: 'Make the table bucket, and the namespace in it, or name others' },
    })
    const entry = await this.#entryOf(table)
    if (entry === undefined) throw new InletError('STORE_UNAVAILABLE', `${cannot}: it is not there after it was made`)
    return entry
  }

  #name(table: string): { tableBucketARN: string; namespace: string; name: string } {
    return { tableBucketARN: this.#namespace.bucket, namespace: this.#namespace.namespace, name: table }
  }

  #nameOf(table: string): string {
    const { bucket, namespace } = this.#namespace
    return `the table ${namespace}.${table} of ${bucket}`
  }
}
