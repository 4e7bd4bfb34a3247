import { resolve } from 'node:path'
import * as z from 'zod'

const Config = z
  .object({
    LAKE_URL: z.string({ error: 'set it to the lake: s3://bucket, or file: and a directory' }).min(1),
    LAKE_CATALOG: z.string().min(1).optional(),
    POWERTOOLS_LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL', 'SILENT']).default('INFO'),
    POWERTOOLS_METRICS_NAMESPACE: z.string().min(1).default('Inlet'),
    PWD: z.string().optional(),
    AWS_EXECUTION_ENV: z.string().optional(),
    IS_LOCAL: z.string().optional(),
    INLET_CONCURRENCY: z.coerce.number().int().min(1).max(100).default(8),
  })
  // What is written to the disk of a Lambda function is gone with it: its records would be acknowledged and lost.
  .refine(
    ({ LAKE_URL, AWS_EXECUTION_ENV, IS_LOCAL }) => {
      const deployed = AWS_EXECUTION_ENV?.startsWith('AWS_Lambda_') === true && IS_LOCAL === undefined
      return !deployed || LAKE_URL.startsWith('s3://')
    },
    { error: "a deployed function's lake is in S3: set it to s3:// and a bucket", path: ['LAKE_URL'] },
  )

/** What a deployed function is told by its environment. */
export interface Config {
  readonly lakeUrl: string
  /** The catalog of its tables (see `openCatalog`): for a lake in a directory, itself; null when nothing is said. */
  readonly catalog: string | null
  readonly logLevel: z.output<typeof Config>['POWERTOOLS_LOG_LEVEL']
  readonly metricsNamespace: string
  /** Slices, and files of one slice, that are written at a time. */
  readonly concurrency: number
}

/** What `process.env` is. */
export type Environment = Readonly<Record<string, string | undefined>>

/** @throws Error naming each variable that is missing or wrong. */
export function readConfig(environment: Environment): Config {
  const parsed = Config.safeParse(environment)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new Error(`the environment is not set up: ${faults.join('; ')}`)
  }
  const { LAKE_URL, LAKE_CATALOG, POWERTOOLS_LOG_LEVEL, POWERTOOLS_METRICS_NAMESPACE, INLET_CONCURRENCY, PWD } =
    parsed.data
  return {
    lakeUrl: absolute(LAKE_URL, PWD),
    catalog: LAKE_CATALOG ?? (LAKE_URL.startsWith('file:') ? 'directory' : null),
    logLevel: POWERTOOLS_LOG_LEVEL,
    metricsNamespace: POWERTOOLS_METRICS_NAMESPACE,
    concurrency: INLET_CONCURRENCY,
  }
}

/** @throws Error when the environment of a function that commits to tables does not say where they are known */
export function catalogOf({ catalog }: Config): string {
  if (catalog !== null) return catalog
  throw new Error('the environment is not set up: LAKE_CATALOG: set it to glue: and a database, or to directory')
}

/**
 * A relative directory is meant from where the user is. `serverless invoke local` changes to its build folder first, but
 * leaves PWD.
 */
function absolute(url: string, workingDirectory: string | undefined): string {
  const relative = /^file:(?!\/)(?<path>.+)$/.exec(url)?.groups?.['path']
  return relative === undefined || workingDirectory === undefined ? url : `file:${resolve(workingDirectory, relative)}`
}
