import { readFileSync } from 'node:fs'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { DeploymentFault } from './deployment-fault.ts'
import { definitionFault } from './contract-checks.ts'
import { deploymentFaults } from './deployment-checks.ts'
import { eventSourceMapping, mappingId } from './event-source-mapping.ts'
import type { StageSettings } from './stage.ts'
import type { Template } from './template.ts'
import { UsageError } from '#shared/cli/failure.ts'
import { loadPipeline, pipelineFiles } from '#shared/cli/pipelines.ts'
import { readStage } from './framework.ts'

export interface CheckOptions {
  readonly stage: string
  /** A template of CloudFormation, as JSON: what is deployed, or was packaged last. */
  readonly against?: string
}

/** What was found of the pipelines that were checked. */
export interface Check {
  readonly stage: string
  readonly pipelines: readonly string[]
  readonly against: string | null
  readonly faults: readonly DeploymentFault[]
}

/**
 * Checks whether pipelines may be deployed to a stage, as packaging does (see `deploymentFaults`). Those that cannot be
 * loaded are faults too; while there are some, the others are not looked at, for the stage cannot be put together.
 * @param names of pipelines, or files that define them; none for all of functions/
 * @throws UsageError for an unknown pipeline or stage, and for a file that is no template
 */
export async function checkPipelines(names: readonly string[], { stage, against }: CheckOptions): Promise<Check> {
  const wanted = names.length === 0 ? [...pipelineFiles().keys()] : [...new Set(names)]
  const deployed = against === undefined ? null : readTemplate(against)
  const pipelines: Pipeline[] = []
  const broken: DeploymentFault[] = []
  for (const name of wanted) {
    try {
      pipelines.push(await loadPipeline(name))
    } catch (error) {
      if (!(error instanceof PipelineDefinitionError)) throw error
      broken.push(definitionFault(name, error))
    }
  }
  const check = { stage, pipelines: wanted, against: against ?? null }
  if (broken.length > 0) return { ...check, faults: broken }
  const { provider, custom } = await readStage(stage)
  const settings = custom.settings as unknown as StageSettings
  const triggers = pipelines.map((pipeline) => [mappingId(pipeline), eventSourceMapping(settings, pipeline)] as const)
  const faults = deploymentFaults(pipelines, {
    timeoutSeconds: provider.timeout,
    memoryMegabytes: provider.memorySize,
    freshnessSeconds: settings.freshnessSeconds,
    template: { Resources: Object.fromEntries(triggers) },
    deployed: deployed && (await withoutOthers(deployed, wanted)),
    allowed: settings.allowed,
  })
  return { ...check, faults }
}

/** What is deployed, without the triggers of pipelines that are not checked: they are not gone. */
async function withoutOthers(deployed: Template, wanted: readonly string[]): Promise<Template> {
  const names = [...pipelineFiles().keys()].filter((name) => !wanted.includes(name))
  const others = await Promise.all(names.map((name) => loadPipeline(name).catch(() => null)))
  const ids = new Set(others.flatMap((pipeline) => (pipeline === null ? [] : mappingId(pipeline))))
  return { Resources: Object.fromEntries(Object.entries(deployed.Resources).filter(([id]) => !ids.has(id))) }
}

/** `serverless package` writes one; of a stack: aws cloudformation get-template --template-stage Original. */
function readTemplate(file: string): Template {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`--against ${file}: ${(error as Error).message}`)
  }
  // What `aws cloudformation get-template` prints has the template within.
  const body = (content as { TemplateBody?: unknown } | null)?.TemplateBody ?? content
  const template = typeof body === 'string' ? (JSON.parse(body) as unknown) : body
  if (typeof template !== 'object' || template === null || !('Resources' in template))
    throw new UsageError(`--against ${file}: a template of CloudFormation has Resources, and this has none`)
  return template as Template
}

/** For people. */
export function checkPage({ stage, pipelines, against, faults }: Check): string {
  const what = `${pipelines.join(', ')} for the stage ${stage}${against === null ? '' : `, against ${against}`}`
  if (faults.length === 0) return `${what}: nothing speaks against deploying.`
  const told = faults.map(({ kind, of, reason, wayOut }) => `\n${of} (${kind})\n  ${reason}.\n  Way out: ${wayOut}.`)
  return `${what}: ${faults.length === 1 ? 'one fault' : `${faults.length} faults`}\n${told.join('\n')}`
}
