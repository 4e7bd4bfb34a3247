import {
  CreateTableCommand,
  GetTableCommand,
  type GlueClient,
  type Table,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { catalogCall } from '#shared/lake/catalog-call.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { metadataLocationOf, movedTableInput, newTableInput } from './glue-table.ts'
import type { PointerService, TablePointer } from './pointer-catalog.ts'
import type { CommitOutcome } from './table-catalog.ts'
import type { TableMetadata } from './table-metadata.ts'

/** A table of Glue's, as it was found. */
export interface GluePointer extends TablePointer {
  readonly table: Table
}

/**
 * The Iceberg tables of a database of the AWS Glue Data Catalog. Glue counts the versions of its tables, and an update says
 * which one it is of; old versions are not archived, for a table that is committed to every minute would reach their quota.
 *
 * Needs `glue:GetTable`; `glue:CreateTable` to place, `glue:UpdateTable` to move: each on the catalog, the database and the table.
 */
export class GluePointers implements PointerService<GluePointer> {
  readonly #client: GlueClient
  readonly #database: string

  constructor(client: GlueClient, database: string) {
    this.#client = client
    this.#database = database
  }

  async find(table: string): Promise<GluePointer | undefined> {
    const name = this.#nameOf(table)
    const get = new GetTableCommand({ DatabaseName: this.#database, Name: table })
    const answer = await catalogCall(`cannot read Glue's table ${name}`, (options) => this.#client.send(get, options), {
      refusals: ['EntityNotFoundException'],
    })
    if (answer?.Table === undefined) return undefined
    const { VersionId: token } = answer.Table
    // Without it an update would overwrite whatever has happened since.
    if (token === undefined)
      throw new InletError('TABLE_UNREADABLE', `Glue does not say which version of ${name} it has`)
    return { location: metadataLocationOf(name, answer.Table), token, table: answer.Table }
  }

  async place(table: string, location: string, metadata: TableMetadata): Promise<CommitOutcome> {
    const create = new CreateTableCommand({
      DatabaseName: this.#database,
      TableInput: newTableInput(table, location, metadata),
    })
    const answer = await catalogCall(
      `cannot make Glue's table ${this.#nameOf(table)}`,
      (options) => this.#client.send(create, options),
      {
        refusals: ['AlreadyExistsException'],
        advice: { EntityNotFoundException: `Make the database ${this.#database} in Glue, or name another one` },
      },
    )
    return answer === undefined ? 'conflict' : 'committed'
  }

  async move(
    table: string,
    { location: from, token, table: found }: GluePointer,
    location: string,
    metadata: TableMetadata,
  ): Promise<CommitOutcome> {
    const update = new UpdateTableCommand({
      DatabaseName: this.#database,
      TableInput: movedTableInput(found, from, location, metadata),
      VersionId: token,
      SkipArchive: true,
    })
    const answer = await catalogCall(
      `cannot change Glue's table ${this.#nameOf(table)}`,
      (options) => this.#client.send(update, options),
      { refusals: ['ConcurrentModificationException', 'EntityNotFoundException'] },
    )
    return answer === undefined ? 'conflict' : 'committed'
  }

  #nameOf(table: string): string {
    return `${this.#database}.${table}`
  }
}
