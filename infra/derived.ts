import { pathToFileURL } from 'node:url'
import { UsageError } from '#shared/cli/failure.ts'
import { loadPipeline, pipelineFiles } from '#shared/cli/pipelines.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { deployment, type Deployment, type PipelineFolder } from './deployment.ts'
import type { PipelineImport } from './pipeline-lists.ts'
import { PARAMS, StageError, type StageSettings, stageSettings } from './stage.ts'

/** What the Serverless Framework gives to a file that it evaluates. */
export interface Variables {
  readonly resolveVariable: (variable: string) => Promise<unknown>
}

type Derived = Deployment & { readonly settings: StageSettings }

/** Mistakes of whoever wrote a declaration, or told a stage something: their messages say all there is to know. */
const MISTAKES = [PipelineDefinitionError, StageError, UsageError]
const NOTHING = { settings: {}, functions: {}, resources: {}, network: {}, cluster: {}, endpoints: {} }
let isToldOfMistake = false

/**
 * What the pipelines of this project are deployed as, for the stage that is being packaged.
 * @returns nothing, where a mistake has been told already: the Framework asks once for each part, and shows all that it hears
 */
export default async function derived(variables: Variables): Promise<Derived | typeof NOTHING> {
  try {
    const settings = await settingsOf(variables)
    return { settings, ...deployment(settings, await pipelineFolders()) }
  } catch (error) {
    if (!(error instanceof Error) || !MISTAKES.some((mistake) => error instanceof mistake)) throw error
    if (isToldOfMistake) return NOTHING
    isToldOfMistake = true
    // It shows a stack where there is one.
    error.stack = error.message
    throw error
  }
}

async function settingsOf({ resolveVariable }: Variables): Promise<StageSettings> {
  const [service, stage] = await Promise.all(['self:service', 'sls:stage'].map(resolveVariable))
  const values = await Promise.all(PARAMS.map((name) => resolveVariable(`param:${name}`)))
  return stageSettings(String(service), String(stage), Object.fromEntries(PARAMS.map((name, i) => [name, values[i]])))
}

/** The pipelines of functions/. @throws PipelineDefinitionError when a declaration, or what its lock says, is wrong */
export async function pipelineFolders(): Promise<readonly PipelineFolder[]> {
  const folders = [...pipelineFiles().keys()]
  return Promise.all(folders.map(async (folder) => ({ folder, pipeline: await loadPipeline(folder) })))
}

/** The names that the pipelines of functions/ are exported under. */
export async function pipelineImports(): Promise<readonly PipelineImport[]> {
  const files = pipelineFiles()
  return Promise.all(
    [...files].map(async ([folder, file]) => {
      const pipeline = await loadPipeline(folder)
      // oxlint-disable-next-line import/no-dynamic-require -- a pipeline is known by the folder that it lies in
      const exports = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>
      const [exported = ''] = Object.entries(exports).find(([, value]) => value === pipeline) ?? []
      return { folder, exported }
    }),
  )
}
