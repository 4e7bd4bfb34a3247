import * as z from 'zod'
import { attribute, type Value } from './cloudformation.ts'

/** A cluster that is there already. */
export interface ExistingCluster {
  readonly arn: string
  /**
   * Where the function that makes topics reaches it on port 9098: subnets, and security groups that the cluster lets in. Null
   * when somebody else makes the topics.
   */
  readonly network: { readonly subnets: readonly string[]; readonly securityGroups: readonly string[] } | null
}

/** The model of infra/sagemaker, as its endpoint is to have it. */
export interface ModelSettings {
  /** The image's URI in ECR. */
  readonly image: string
  /** Its repository, as an ARN has it behind `ecr:`. */
  readonly repository: string
  /** The object of the lake's bucket that `inlet model train` has packed. */
  readonly key: string
  /** The type of the one instance that the endpoint has; null for a serverless one. */
  readonly instance: string | null
  /** Whether its container is kept off the network, which serverless ones cannot be. */
  readonly isIsolated: boolean
}

/** What one stage of the service is told, by `params` of serverless.yml or `--param`. */
export interface StageSettings {
  /** Of the stack: service and stage. Names functions and consumer groups, and the namespace of metrics. */
  readonly stack: string
  /** Null for an MSK Serverless cluster of the stage's own. */
  readonly cluster: ExistingCluster | null
  /** Who is written to when an alarm goes off; null for nobody. */
  readonly alarmEmail: string | null
  /** Whether the committer and redrives have concurrency of their own, and no more than that. */
  readonly reserveConcurrency: boolean
  /** Seconds from an event to the snapshot that shows it; when it takes longer, an alarm goes off. */
  readonly freshnessSeconds: number
  /** Null for a stage without an endpoint. */
  readonly model: ModelSettings | null
  /** Faults of the deployment that are meant (see deployment-checks.ts). */
  readonly allowed: readonly string[]
}

const CLUSTER_ARN = /^arn:[a-z-]+:kafka:[a-z0-9-]+:\d{12}:cluster\/[^/]+\/[^/]+$/

const IMAGE =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(?<name>[a-z0-9._/-]+)(?::[\w.-]+|@sha256:[0-9a-f]{64})$/

const list = (form: RegExp, expected: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .transform((items) => items.filter((item) => item !== ''))
    .pipe(z.array(z.string().regex(form, { error: expected })))

const optional = z.string().transform((text) => (text === '' ? null : text))

const Params = z
  .strictObject({
    clusterArn: optional.pipe(
      z.string().regex(CLUSTER_ARN, { error: 'expected the ARN of an MSK cluster, or nothing' }).nullable(),
    ),
    clusterSubnets: list(/^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, 'expected ids of subnets, with commas between'),
    clusterSecurityGroups: list(
      /^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$/,
      'expected ids of security groups, with commas between',
    ),
    alarmEmail: optional.pipe(z.email({ error: 'expected an address, or nothing' }).nullable()),
    reserveConcurrency: z.stringbool({ error: 'expected true or false' }).or(z.boolean()),
    freshnessSeconds: z.coerce.number({ error: 'expected seconds' }).int().min(120).max(86_400),
    modelImage: optional.pipe(
      z
        .string()
        .regex(IMAGE, { error: 'expected the URI of an image in ECR with its tag or digest, or nothing' })
        .nullable(),
    ),
    modelKey: optional.pipe(
      z
        .string()
        .regex(/^[\w.-]+(?:\/[\w.-]+)*\.tar\.gz$/, { error: 'expected the key of a .tar.gz in the lake, or nothing' })
        .nullable(),
    ),
    modelInstance: optional.pipe(
      z
        .string()
        .regex(/^ml\.[a-z0-9]+\.[a-z0-9]+$/, { error: 'expected ml.<type>.<size>, or nothing' })
        .nullable(),
    ),
    allow: list(/^[a-z-]+:.+$/, 'expected kind:of, as the refusal names it, with commas between'),
  })
  .superRefine(({ clusterArn: arn, clusterSubnets, clusterSecurityGroups, ...others }, context) => {
    const refuse = (param: string, message: string) => context.addIssue({ code: 'custom', path: [param], message })
    if (arn === null && clusterSubnets.length + clusterSecurityGroups.length > 0)
      refuse('clusterArn', 'subnets or security groups of a cluster are given, but not which cluster')
    if (clusterSubnets.length > 0 !== clusterSecurityGroups.length > 0)
      refuse('clusterSubnets', 'clusterSubnets and clusterSecurityGroups are given together or not at all')
    const { modelImage, modelKey, modelInstance } = others
    if ((modelImage === null) !== (modelKey === null))
      refuse('modelImage', 'modelImage and modelKey are given together or not at all')
    if (modelImage === null && modelInstance !== null)
      refuse('modelInstance', 'an instance is given, but no modelImage')
  })

/** What the params of a stage may be called. */
export const PARAMS = Object.keys(Params.shape)

/** Thrown when what a stage is told cannot be deployed; its message is for the one who deploys. */
export class StageError extends Error {
  override readonly name = 'StageError'
}

/** @throws StageError naming each param that is wrong */
export function stageSettings(
  service: string,
  stage: string,
  params: Readonly<Record<string, unknown>>,
): StageSettings {
  const parsed = Params.safeParse(params)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new StageError(`params of stage ${stage}: ${faults.join('; ')}`)
  }
  const { clusterArn: arn, clusterSubnets: subnets, clusterSecurityGroups: securityGroups } = parsed.data
  const { alarmEmail, reserveConcurrency, freshnessSeconds, allow: allowed } = parsed.data
  const network = subnets.length === 0 ? null : { subnets, securityGroups }
  const cluster = arn === null ? null : { arn, network }
  const stack = `${service}-${stage}`
  const model = modelSettings(parsed.data)
  return { stack, cluster, alarmEmail, reserveConcurrency, freshnessSeconds, model, allowed }
}

function modelSettings({
  modelImage: image,
  modelKey: key,
  modelInstance: instance,
}: z.output<typeof Params>): ModelSettings | null {
  if (image === null || key === null) return null
  const { account, region, name } = IMAGE.exec(image)?.groups ?? {}
  return { image, repository: `${region}:${account}:repository/${name}`, key, instance, isIsolated: instance !== null }
}

/** The ARN of the stage's cluster. */
export function clusterArn({ cluster }: StageSettings): Value {
  return cluster?.arn ?? attribute('KafkaCluster', 'Arn')
}

/** The ARN of a topic or a group of the stage's cluster, as IAM has it: the cluster's, with other words in the middle. */
export function kafkaArn(settings: StageSettings, kind: 'topic' | 'group', name: string): Value {
  const { cluster } = settings
  if (cluster !== null) return `${cluster.arn.replace(':cluster/', `:${kind}/`)}/${name}`
  const parts = { 'Fn::Split': [':cluster/', clusterArn(settings)] }
  return { 'Fn::Join': ['', [{ 'Fn::Join': [`:${kind}/`, parts] }, `/${name}`]] }
}

/** Where functions that talk to Kafka are; null when nothing is known of a cluster's network. */
export function kafkaNetwork({
  cluster,
}: StageSettings): { subnets: readonly Value[]; groups: readonly Value[] } | null {
  if (cluster === null) {
    const [subnets, groups] = [['SubnetA', 'SubnetB', 'SubnetC'], ['KafkaSecurityGroup']]
    return { subnets: subnets.map((id) => ({ Ref: id })), groups: groups.map((id) => ({ Ref: id })) }
  }
  return cluster.network && { subnets: cluster.network.subnets, groups: cluster.network.securityGroups }
}
