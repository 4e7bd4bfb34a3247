import type { Environment } from '#shared/config.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { UsageError } from './failure.ts'

/** Where a consumer lands what it reads, and as whom it reads. */
export interface ConsumerSettings {
  readonly lake: string
  readonly catalog: string | null
  readonly group: string
  readonly instance: string | null
  readonly cluster: string | undefined
}

interface Given {
  readonly lake?: string
  readonly catalog?: string
  readonly group?: string
  readonly instance?: string
}

/**
 * What the options of a command say, or else the environment. An empty variable is one that is not set.
 * @throws UsageError when neither says which lake
 */
export function consumerSettings(
  { name }: Pick<Pipeline, 'name'>,
  environment: Environment,
  given: Given,
): ConsumerSettings {
  const of = (variable: string): string | undefined => environment[variable] || undefined
  const lake = given.lake ?? of('LAKE_URL')
  if (lake === undefined) throw new UsageError('which lake? Say it with --lake, or set LAKE_URL')
  const catalog = given.catalog ?? of('LAKE_CATALOG') ?? (lake.startsWith('s3://') ? 'none' : 'directory')
  return {
    lake,
    catalog: catalog === 'none' ? null : catalog,
    group: given.group ?? of('KAFKA_GROUP') ?? `inlet-${name}`,
    instance: given.instance ?? of('KAFKA_INSTANCE') ?? null,
    cluster: of('KAFKA_CLUSTER'),
  }
}
