import {
  BatchCreatePartitionCommand,
  CreateTableCommand,
  GetTableCommand,
  type GlueClient,
  type PartitionError,
  type PartitionInput,
  type StorageDescriptor,
  type Table as GlueTable,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import type { DataFile } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { PartitionSpec } from '#shared/pipeline/partition-spec.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { catalogCall } from './catalog-call.ts'
import { itemErrorCode } from './catalog-errors.ts'
import { filesTableInput, requireFilesTable, unknownColumns } from './glue-files-table.ts'
import { tableInputOf } from './glue-table-input.ts'
import { dataPrefix } from './log-keys.ts'

/** The most partitions that Glue takes in one call ("BatchCreatePartition"). */
const CHUNK = 100
/** How many partitions a message names. */
const NAMED = 3
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/** Where a table of plain files is to be known. */
export interface FilesDatabase {
  readonly glue: GlueClient
  readonly database: string
  /** Of the lake: `s3://bucket/prefix`. */
  readonly lakeUrl: string
}

/**
 * Makes the partitions of plain files known to Glue, so that Athena and Spark find them. The table is made when there is none,
 * and is given the columns that it lacks; what others have put into it stays.
 *
 * Needs `glue:GetTable`, `glue:CreateTable`, `glue:UpdateTable` and `glue:BatchCreatePartition` on the catalog, the database and
 * the table.
 * @param files of the table, as commits name them
 * @returns how many partitions Glue did not know
 * @throws InletError TABLE_CHANGED when Glue has another kind of table of that name, or a file is from before the table was
 * partitioned as it is; of stage `store`, naming partitions, when Glue did not take some. All others were taken then
 */
export async function registerPartitions(
  place: FilesDatabase,
  table: Table,
  files: readonly DataFile[],
): Promise<number> {
  const storage = await storageOf(place, table)
  if (table.partitionSpec.length === 0) return 0
  const isOfSpec = ({ partition }: DataFile): boolean => table.partitionSpec.every(({ name }) => name in partition)
  const partitions = [...partitionsOf(place, table, files.filter(isOfSpec), storage).values()]
  const errors: PartitionError[] = []
  for (let i = 0; i < partitions.length; i += CHUNK)
    errors.push(...(await createPartitions(place, table, partitions.slice(i, i + CHUNK))))
  const faults = errors.filter(({ ErrorDetail }) => ErrorDetail?.ErrorCode !== 'AlreadyExistsException')
  if (faults.length > 0) throw notTaken(`${place.database}.${table.name}`, faults)
  const foreign = files.find((file) => !isOfSpec(file))
  if (foreign !== undefined) throw otherSpec(table, foreign)
  return partitions.length - errors.length
}

async function createPartitions(
  { glue, database }: FilesDatabase,
  { name }: Table,
  partitions: PartitionInput[],
): Promise<PartitionError[]> {
  const create = new BatchCreatePartitionCommand({
    DatabaseName: database,
    TableName: name,
    PartitionInputList: partitions,
  })
  const answer = await catalogCall(`cannot add partitions to Glue's table ${database}.${name}`, (options) =>
    glue.send(create, options),
  )
  return answer?.Errors ?? []
}

/** How Glue's table says that files are read, once it is there and has all columns. */
async function storageOf(place: FilesDatabase, table: Table): Promise<StorageDescriptor> {
  const { glue, database, lakeUrl } = place
  const name = `${database}.${table.name}`
  const get = new GetTableCommand({ DatabaseName: database, Name: table.name })
  const answer = await catalogCall(`cannot read Glue's table ${name}`, (options) => glue.send(get, options), {
    refusals: ['EntityNotFoundException'],
  })
  if (answer?.Table !== undefined) {
    requireFilesTable(table, name, answer.Table)
    return withAllColumns(place, table, answer.Table)
  }
  const input = filesTableInput(table, lakeUrl)
  const create = new CreateTableCommand({ DatabaseName: database, TableInput: input })
  const made = await catalogCall(`cannot make Glue's table ${name}`, (options) => glue.send(create, options), {
    refusals: ['AlreadyExistsException'],
    advice: { EntityNotFoundException: `Make the database ${database} in Glue, or name another one` },
  })
  // Another writer was faster.
  return made === undefined ? storageOf(place, table) : (input.StorageDescriptor ?? {})
}

async function withAllColumns(
  { glue, database }: FilesDatabase,
  table: Table,
  found: GlueTable,
): Promise<StorageDescriptor> {
  const storage = found.StorageDescriptor ?? {}
  const lacking = unknownColumns(table, found)
  if (lacking.length === 0) return storage
  const grown = { ...storage, Columns: [...(storage.Columns ?? []), ...lacking] }
  const update = new UpdateTableCommand({
    DatabaseName: database,
    TableInput: { ...tableInputOf(found), StorageDescriptor: grown },
    VersionId: found.VersionId,
  })
  await catalogCall(`cannot add columns to Glue's table ${database}.${table.name}`, (options) =>
    glue.send(update, options),
  )
  return grown
}

/** The partitions that files are in, by their directories. Each is read as its table is. */
function partitionsOf(
  { lakeUrl }: FilesDatabase,
  { name, partitionSpec }: Table,
  files: readonly DataFile[],
  storage: StorageDescriptor,
): Map<string, PartitionInput> {
  const below = dataPrefix(name)
  const partitions = new Map<string, PartitionInput>()
  for (const { path, partition } of files) {
    const directory = path.slice(below.length, path.lastIndexOf('/'))
    if (partitions.has(directory)) continue
    const Location = `${lakeUrl.replace(/\/+$/, '')}/${below}${directory}/`
    const Values = valuesOf(partition, directory, partitionSpec)
    partitions.set(directory, { Values, StorageDescriptor: { ...storage, Location } })
  }
  return partitions
}

/**
 * The values of a partition as Hive has them: text. What a commit has as text is taken from there, for the name of a directory may
 * be cut (see `partition-path.ts`); all else is as the directory shows it.
 */
function valuesOf(partition: DataFile['partition'], directory: string, spec: PartitionSpec): string[] {
  const directories = directory.split('/')
  return spec.map(({ name }, i) => {
    const value = partition[name] ?? null
    if (value === null || value === '') return NULL_PARTITION
    if (typeof value === 'string') return value
    const shown = directories[i] ?? ''
    return decodeURIComponent(shown.slice(shown.indexOf('=') + 1))
  })
}

function otherSpec({ name, partitionSpec }: Table, { path }: DataFile): InletError {
  const fields = partitionSpec.map((field) => field.name).join(', ')
  return new InletError(
    'TABLE_CHANGED',
    `${path} is not partitioned by (${fields}), and a table of plain files has one way only: read it with "inlet query", or ` +
      `have ${name} filled anew as another generation`,
  )
}

function notTaken(name: string, faults: readonly PartitionError[]): InletError {
  const said = faults.slice(0, NAMED).map(({ PartitionValues = [], ErrorDetail }) => {
    return `(${PartitionValues.join(', ')}): ${ErrorDetail?.ErrorCode ?? ''}: ${ErrorDetail?.ErrorMessage ?? ''}`
  })
  const more = faults.length > NAMED ? `; and ${faults.length - NAMED} more` : ''
  const codes = faults.map(({ ErrorDetail }) => itemErrorCode(ErrorDetail?.ErrorCode ?? ''))
  const code = codes.find((one) => one !== 'STORE_UNAVAILABLE') ?? 'STORE_UNAVAILABLE'
  return new InletError(
    code,
    `Glue's table ${name} did not take ${faults.length} partitions: ${said.join('; ')}${more}`,
  )
}
