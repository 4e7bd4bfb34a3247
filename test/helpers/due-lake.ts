import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { JobOptions } from '#shared/pipeline/job-options.ts'
import { JobLake, withJobs } from './job-lake.ts'
import type { MemoryRunner } from './memory-runner.ts'

/** A job of a day that is complete, which is tried twice. */
export const COMPACT = {
  glue: 'compact',
  when: { partitionComplete: '10 minutes' },
  retries: 1,
} as const satisfies JobOptions

/** A lake in which the first of two partitions is past the fifth of January, and nothing is in a snapshot. */
export async function preparedLake(job: JobOptions = COMPACT, store?: ObjectStore): Promise<JobLake> {
  const lake = new JobLake(withJobs({ compact: job }), store)
  await lake.apply()
  await lake.land(0, { at: '2026-01-05T10:00:00Z' }, { at: '2026-01-06T00:10:00Z' })
  await lake.land(1, { at: '2026-01-05T11:00:00Z' })
  return lake
}

/** The same with both of them past it, and all in a snapshot: the fifth is complete. */
export async function dueLake(job?: JobOptions, store?: ObjectStore): Promise<JobLake> {
  const lake = await preparedLake(job, store)
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.commit()
  return lake
}

/** The windows that runs were started for. */
export const startedFor = (runner: MemoryRunner) => runner.runs.map(({ order }) => order.arguments.partition)
