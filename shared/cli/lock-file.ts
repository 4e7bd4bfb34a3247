import { existsSync, readFileSync, rmSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { LockOutdatedError, lockText, NO_LOCK, parseLock, type TableLock } from '#shared/pipeline/table-lock.ts'
import { UsageError } from './failure.ts'
import { loadPipeline, pipelineFile } from './pipelines.ts'
import { creation, shapeOfLock, type TableChange, tableChanges } from './table-changes.ts'

const NAME = 'table.lock.json'

/** The lock file of a pipeline, and what its declaration makes of it. */
export interface LockChange {
  /** Where it is, or has to be: beside the pipeline. */
  readonly file: string
  readonly revision: number
  /** Empty when it is as the declaration needs it. */
  readonly changes: readonly TableChange[]
  /** The one that is needed. */
  readonly lock: TableLock
  /** How the pipeline gets to know it; null when its file names it. */
  readonly howToImport: string | null
}

/**
 * What the lock file of a pipeline has to become for its declaration.
 * @throws UsageError for a pipeline without Iceberg tables, and for one that has its lock from elsewhere;
 * PipelineDefinitionError when the declaration is wrong, or nothing that the table can become
 */
export async function lockChange(nameOrFile: string): Promise<LockChange> {
  const pipeline = pipelineFile(nameOrFile)
  const file = path.join(path.dirname(pipeline), NAME)
  const isThere = existsSync(file)
  const found = isThere ? readLock(file) : NO_LOCK
  const needed = await neededLock(pipeline, isThere ? undefined : file)
  const howToImport = readFileSync(pipeline, 'utf8').includes(NAME)
    ? null
    : `import lock from './${NAME}' with { type: 'json' }\n  and, in definePipeline: lake: { …, lock }`
  const report = { file: path.relative('.', file), lock: needed, revision: needed.revision, howToImport }
  if (JSON.stringify(needed) === JSON.stringify(found)) return { ...report, changes: [] }
  requireSuccessor(report.file, found, needed, howToImport)
  if (found === NO_LOCK) return { ...report, changes: [creation(shapeOfLock(needed))] }
  const changes = tableChanges(shapeOfLock(found), shapeOfLock(needed))
  return { ...report, changes: changes.length > 0 ? changes : [{ kind: 'note', text: 'note names of fields' }] }
}

/** Puts the lock in the place of the file; whoever reads it meanwhile sees the one or the other. */
export async function writeLock({ file, lock }: LockChange): Promise<void> {
  const temporary = `${file}.new`
  await writeFile(temporary, lockText(lock))
  await rename(temporary, file)
}

function readLock(file: string): TableLock {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new PipelineDefinitionError(`${path.relative('.', file)} is not JSON`, { cause: error })
  }
  return parseLock(content)
}

/** @param absent the lock file, if it is not there: a pipeline that imports it already cannot be loaded without it */
async function neededLock(pipeline: string, absent: string | undefined): Promise<TableLock> {
  let loaded: Pipeline
  try {
    loaded = await loadPipeline(pipeline)
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    if (cause instanceof LockOutdatedError) return cause.needed
    if (absent === undefined || !isMissing(cause, absent)) throw error
    return firstLock(pipeline, absent)
  }
  if (loaded.table.lock !== null) return loaded.table.lock
  throw new UsageError(`pipeline ${loaded.name} writes plain files: tables without a catalog need no lock`)
}

function isMissing(error: unknown, file: string): boolean {
  const { code, url } = (error ?? {}) as { code?: string; url?: string }
  return code === 'ERR_MODULE_NOT_FOUND' && url === pathToFileURL(file).href
}

/** The pipeline is loaded with an empty lock in the place of the one that it misses. */
async function firstLock(pipeline: string, absent: string): Promise<TableLock> {
  await writeFile(absent, '{}\n', { flag: 'wx' })
  try {
    // What failed is remembered by its URL.
    await import(`${pathToFileURL(pipeline).href}?lock`)
  } catch (error) {
    if (error instanceof LockOutdatedError) return error.needed
    throw new PipelineDefinitionError(`${path.relative('.', pipeline)}: ${(error as Error).message}`, { cause: error })
  } finally {
    rmSync(absent)
  }
  throw new UsageError(`${path.relative('.', pipeline)} imports ${NAME} and does not use it: lake: { …, lock }`)
}

/** Ids that were given out may be in files: a lock that does not follow from the file's would give them to other fields. */
function requireSuccessor(file: string, found: TableLock, needed: TableLock, howToImport: string | null): void {
  const ids = new Set([...needed.columns, ...needed.retired].map(({ id }) => id))
  const isSuccessor =
    needed.revision === found.revision + 1 && [...found.columns, ...found.retired].every(({ id }) => ids.has(id))
  if (isSuccessor) return
  throw new UsageError(
    `${file} is not the lock that the pipeline has${howToImport === null ? '' : `, for it imports none:\n  ${howToImport}`}`,
  )
}
