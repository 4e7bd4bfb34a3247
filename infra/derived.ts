import { pathToFileURL } from 'node:url'
import { loadPipeline, pipelineFiles } from '#shared/cli/pipelines.ts'
import { deployment, type Deployment, type PipelineFolder } from './deployment.ts'
import type { PipelineImport } from './pipeline-lists.ts'
import { PARAMS, type StageSettings, stageSettings } from './stage.ts'

/** What the Serverless Framework gives to a file that it evaluates. */
export interface Variables {
  readonly resolveVariable: (variable: string) => Promise<unknown>
}

/** What the pipelines of this project are deployed as, for the stage that is being packaged. */
export default async function derived(
  variables: Variables,
): Promise<Deployment & { readonly settings: StageSettings }> {
  const settings = await settingsOf(variables)
  return { settings, ...deployment(settings, await pipelineFolders()) }
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
