import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { CloudFormationClientConfig } from '@aws-sdk/client-cloudformation'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { clusterChanges, type ClusterLock, clusterLock } from './cluster-lock.ts'
import { type DeploymentSettings, deploymentFaults } from './deployment-checks.ts'
import type { DeploymentFault } from './deployment-fault.ts'
import { pipelineFolders, pipelineImports } from './derived.ts'
import { idleCostPage, idleCosts, runsOfMonth } from './idle-costs.ts'
import { writePipelineLists } from './pipeline-lists.ts'
import type { StageSettings } from './stage.ts'
import type { Template } from './template.ts'

const FUNCTIONS = path.join(import.meta.dirname, '../functions')
const LOCK = path.join(import.meta.dirname, 'cluster.lock.json')

/** The parts of the Serverless Framework that are used. */
interface Serverless {
  readonly service: {
    readonly provider: {
      readonly compiledCloudFormationTemplate: Template
      readonly timeout: number
      readonly memorySize: number
    }
    readonly custom: { readonly settings: StageSettings }
  }
  /** Of errors that are told without a stack. */
  readonly classes: { readonly Error: new (message: string, code: string) => Error }
  getProvider(name: 'aws'): { getAwsSdkV3Config(): Promise<CloudFormationClientConfig> }
}

interface Output {
  readonly log: { notice(text: string): void }
}

/**
 * Looks at what the Serverless Framework packages. What would do harm by itself is refused at packaging, without credentials
 * or network; what would do harm to what is deployed, before anything of it is touched.
 */
export default class DeploymentPlugin {
  readonly hooks = {
    'before:package:initialize': (): Promise<void> => this.listPipelines(),
    'after:aws:package:finalize:mergeCustomProviderResources': (): Promise<void> => this.checkPackage(),
    'before:deploy:deploy': (): Promise<void> => this.checkDeployment(),
  }
  readonly #serverless: Serverless
  readonly #output: Output

  constructor(serverless: Serverless, _options: unknown, output: Output) {
    this.#serverless = serverless
    this.#output = output
  }

  /** Before anything is bundled. */
  async listPipelines(): Promise<void> {
    for (const file of writePipelineLists(FUNCTIONS, await pipelineImports()))
      this.#output.log.notice(`${path.relative('.', file)} has another list of pipelines: commit it.`)
  }

  async checkPackage(): Promise<void> {
    const locked = JSON.parse(readFileSync(LOCK, 'utf8')) as ClusterLock
    const changes = clusterChanges(this.#template, locked)
    this.#refuse([...(await this.#faults(null)), ...this.#notAllowed(changes)])
    if (changes.length === 0) return
    writeFileSync(LOCK, `${JSON.stringify(clusterLock(this.#template), null, 2)}\n`)
    this.#output.log.notice(
      'The cluster will be replaced, as you have allowed; infra/cluster.lock.json has the new one: commit it.',
    )
  }

  async checkDeployment(): Promise<void> {
    const deployed = await this.#deployed()
    if (deployed === null) {
      const { memorySize } = this.#serverless.service.provider
      this.#output.log.notice(
        idleCostPage(idleCosts(this.#template, await pipelinesOf()), runsOfMonth(this.#template), memorySize),
      )
      return
    }
    const changes = clusterChanges(this.#template, clusterLock(deployed))
    this.#refuse([...(await this.#faults(deployed)), ...this.#notAllowed(changes)])
  }

  get #template(): Template {
    return this.#serverless.service.provider.compiledCloudFormationTemplate
  }

  async #faults(deployed: Template | null): Promise<readonly DeploymentFault[]> {
    const { provider, custom } = this.#serverless.service
    const settings: DeploymentSettings = {
      timeoutSeconds: provider.timeout,
      memoryMegabytes: provider.memorySize,
      freshnessSeconds: custom.settings.freshnessSeconds,
      template: this.#template,
      deployed,
      allowed: custom.settings.allowed,
    }
    return deploymentFaults(await pipelinesOf(), settings)
  }

  #notAllowed(faults: readonly DeploymentFault[]): readonly DeploymentFault[] {
    const { allowed } = this.#serverless.service.custom.settings
    return faults.filter(({ kind, of, canAllow }) => !canAllow || !allowed.includes(`${kind}:${of}`))
  }

  #refuse(faults: readonly DeploymentFault[]): void {
    if (faults.length === 0) return
    const told = faults.map(({ kind, of, reason, wayOut }) => `- ${of} (${kind}): ${reason}.\n  Way out: ${wayOut}.`)
    const allow = faults.some(({ canAllow }) => canAllow)
      ? ['To allow what is meant: --param="allow=<kind>:<of>".']
      : []
    const message = ['this must not be deployed:', ...told, ...allow].join('\n')
    throw new this.#serverless.classes.Error(message, 'DEPLOYMENT_REFUSED')
  }

  /** The template of the stack; null before the first deployment. */
  async #deployed(): Promise<Template | null> {
    const { CloudFormationClient, GetTemplateCommand } = await import('@aws-sdk/client-cloudformation')
    const client = new CloudFormationClient(await this.#serverless.getProvider('aws').getAwsSdkV3Config())
    const { stack } = this.#serverless.service.custom.settings
    try {
      const get = new GetTemplateCommand({ StackName: stack, TemplateStage: 'Original' })
      const { TemplateBody } = await client.send(get)
      return TemplateBody === undefined ? null : (JSON.parse(TemplateBody) as Template)
    } catch (error) {
      if (error instanceof Error && error.message.includes('does not exist')) return null
      throw error
    }
  }
}

async function pipelinesOf(): Promise<readonly Pipeline[]> {
  return (await pipelineFolders()).map(({ pipeline }) => pipeline)
}
