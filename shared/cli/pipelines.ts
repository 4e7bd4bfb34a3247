import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { UsageError } from './failure.ts'

const FUNCTIONS = path.join(import.meta.dirname, '../../functions')

/** Compiled, as in the image of a container, it is a module of JavaScript. */
const NAMES = ['pipeline.ts', 'pipeline.mjs']

/** The pipelines of this project: the folders of functions/ that hold one. */
export function pipelineFiles(): Map<string, string> {
  const files = new Map<string, string>()
  for (const name of readdirSync(FUNCTIONS).sort()) {
    const file = NAMES.map((each) => path.join(FUNCTIONS, name, each)).find((each) => existsSync(each))
    if (file !== undefined) files.set(name, file)
  }
  return files
}

/** The file of the pipeline of that name; of a file its absolute path. @throws UsageError when there is none */
export function pipelineFile(nameOrFile: string): string {
  const files = pipelineFiles()
  const isFile = nameOrFile.includes('/') || /\.m?[jt]s$/.test(nameOrFile)
  const file = isFile ? path.resolve(nameOrFile) : files.get(nameOrFile)
  if (file === undefined)
    throw new UsageError(
      `unknown pipeline "${nameOrFile}"; there are: ${[...files.keys()].join(', ')} (or name a file)`,
    )
  if (!existsSync(file)) throw new UsageError(`unknown pipeline: there is no file ${nameOrFile}`)
  return file
}

/**
 * The pipeline of that name, or the one that a file defines.
 * @throws UsageError when there is none; PipelineDefinitionError when its declaration is wrong
 */
export async function loadPipeline(nameOrFile: string): Promise<Pipeline> {
  const exported = await importPipelines(pipelineFile(nameOrFile))
  const [pipeline, another] = exported
  if (pipeline === undefined)
    throw new UsageError(`${nameOrFile} exports no pipeline: export what definePipeline returns`)
  if (another !== undefined)
    throw new UsageError(`${nameOrFile} exports several pipelines: ${exported.map(({ name }) => name).join(', ')}`)
  return pipeline
}

async function importPipelines(file: string): Promise<Pipeline[]> {
  try {
    const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
    return Object.values(module).filter(isPipeline)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new PipelineDefinitionError(`${path.relative('.', file)}: ${reason}`, { cause: error })
  }
}

function isPipeline(value: unknown): value is Pipeline {
  const parts = ['name', 'topic', 'event', 'row', 'transform', 'table', 'version']
  return typeof value === 'object' && value !== null && parts.every((part) => part in value)
}
