import type { Duration } from './duration.ts'

/** A Glue job, by its name. */
interface GlueOptions {
  readonly glue: string
}

/** A Spark script on an application of EMR Serverless. */
export interface EmrServerlessTarget {
  /** Id of the application. */
  readonly application: string
  /** ARN of the role that the job runs with. */
  readonly role: string
  /** `s3://…/job.py` */
  readonly script: string
  /** What `spark-submit` is told besides, as `--conf spark.executor.cores=4`. */
  readonly spark?: string
}

/** A Spark script as a step of a cluster of EMR on EC2. */
export interface EmrStepTarget {
  /** Id of the cluster: `j-…`. */
  readonly cluster: string
  /** `s3://…/job.py` */
  readonly script: string
  /** What `spark-submit` is told besides, one argument an item. */
  readonly spark?: readonly string[]
}

/** What runs: exactly one of them. */
type TargetOptions =
  | (GlueOptions & { readonly emrServerless?: never; readonly emrStep?: never })
  | { readonly emrServerless: EmrServerlessTarget; readonly glue?: never; readonly emrStep?: never }
  | { readonly emrStep: EmrStepTarget; readonly glue?: never; readonly emrServerless?: never }

/** When it runs: exactly one of them. */
export type WhenOptions =
  | {
      /** Once for each window (hour, day …) of the table, when it is complete: the allowed lateness. */
      readonly partitionComplete: Duration
      readonly smallFiles?: never
      readonly every?: never
      readonly rows?: never
    }
  | {
      /** Each time so many files below 32 MB have come into a window of the table. */
      readonly smallFiles: number
      readonly partitionComplete?: never
      readonly every?: never
      readonly rows?: never
    }
  | {
      /** Once in each such stretch of time, counted from 1970. */
      readonly every: Duration
      readonly partitionComplete?: never
      readonly smallFiles?: never
      readonly rows?: never
    }
  | {
      /** Each time so many rows have come into the table. */
      readonly rows: number
      readonly partitionComplete?: never
      readonly smallFiles?: never
      readonly every?: never
    }

/** A job as a pipeline's owner writes it. */
export type JobOptions = TargetOptions & {
  readonly when: WhenOptions
  /** How often a run that fails is started again: 0 to 10. Inlet's default is 2. */
  readonly retries?: number
  /** How many of its runs may be at work at once: 1 to 100. Inlet's default is 1. */
  readonly concurrency?: number
  /** What rows are to a window that its job has run for. Inlet's default is `'rerun'`. Only with `partitionComplete`. */
  readonly late?: LatePolicy
  /** Arguments besides those that every run has: name → value, without dashes in front. */
  readonly arguments?: Readonly<Record<string, string>>
}

export type LatePolicy = 'ignore' | 'rerun' | `rerun after ${number} rows`

/** Job → what it is. Names are lower-case letters, digits and dashes. */
export type JobsOptions = Readonly<Record<string, JobOptions>>
