import type { RunReport } from '#shared/runtimes/job-round.ts'
import { type JobSurroundings, runRound } from '#shared/runtimes/job-round.ts'
import type { JobRunner } from '#shared/jobs/job-runner.ts'
import type { WaitingBatch } from '#shared/jobs/completeness.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { applyTables, commitTables } from '#shared/lake/pipeline-tables.ts'
import type { JobsOptions } from '#shared/pipeline/job-options.ts'
import { defineJobs } from '#shared/pipeline/job.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { UNKNOWN_TOPIC } from '#shared/runtimes/table-view.ts'
import { deliver } from './deliveries.ts'
import { locked } from './lake-table.ts'
import { MemoryStore } from './memory-store.ts'
import { sensors } from './sensors.ts'

/** Readings of sensors by day, with jobs. */
export function withJobs(jobs: JobsOptions, pipeline: Pipeline = locked(sensors)): Pipeline {
  return { ...pipeline, jobs: defineJobs(jobs, pipeline.table) }
}

/** A reading, and its record's timestamp: that of the reading unless it is said. */
export interface TimedReading {
  readonly at: string
  readonly timestamp?: string
}

/** What Lambda would send for readings of one Kafka partition. */
function timedEvent(readings: readonly TimedReading[], partition: number, firstOffset: number): unknown {
  const records = readings.map(({ at, timestamp = at }, i) => ({
    topic: 'sensors',
    partition,
    offset: firstOffset + i,
    timestamp: Date.parse(timestamp),
    timestampType: 'CREATE_TIME',
    value: Buffer.from(JSON.stringify({ sensor: 's1', at, value: 1 })).toString('base64'),
    headers: [],
  }))
  const eventSourceArn = 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5'
  return {
    eventSource: 'aws:kafka',
    eventSourceArn,
    bootstrapServers: 'b:9098',
    records: { [`sensors-${partition}`]: records },
  }
}

/** A lake with the tables of a pipeline, whose clock goes on when it is told to. */
export class JobLake {
  readonly pipeline: Pipeline
  readonly store: ObjectStore
  readonly #offsets = new Map<number, number>()
  waiting: readonly WaitingBatch[] = []
  /** How far the scheduler's clock is ahead of the store's. Milliseconds. */
  later = 0

  constructor(pipeline: Pipeline, store: ObjectStore = new MemoryStore()) {
    this.pipeline = pipeline
    this.store = store
  }

  async apply(): Promise<void> {
    await applyTables(this.#tables(this.store), this.pipeline)
  }

  /** Lands readings, the next ones of their partition. */
  async land(partition: number, ...readings: readonly TimedReading[]): Promise<void> {
    await this.landAt(partition, this.#offsets.get(partition) ?? 0, ...readings)
  }

  /** Lands readings at an offset: before one that has landed they fill a gap. */
  async landAt(partition: number, offset: number, ...readings: readonly TimedReading[]): Promise<void> {
    await deliver(this.store, this.pipeline, timedEvent(readings, partition, offset))
    this.#offsets.set(partition, Math.max(this.#offsets.get(partition) ?? 0, offset + readings.length))
  }

  async commit(): Promise<void> {
    await commitTables(this.#tables(this.store), this.pipeline)
  }

  surroundings(runner: JobRunner, store = this.store): JobSurroundings {
    return {
      ...this.#tables(store),
      catalog: 'directory',
      runnerOf: () => runner,
      deadline: () => new AbortController().signal,
      waiting: () => Promise.resolve(this.waiting),
      topic: () => Promise.resolve(UNKNOWN_TOPIC),
    }
  }

  /** A round of the scheduler. @throws what it could not do */
  async round(
    runner: JobRunner,
    store = this.store,
    options: Pick<JobSurroundings, 'limit' | 'windows'> = {},
  ): Promise<readonly RunReport[]> {
    const reports: RunReport[] = []
    const failures: unknown[] = []
    await runRound({ ...this.surroundings(runner, store), ...options }, this.pipeline, {
      onRun: (report) => void reports.push(report),
      onFailure: (_run, error) => void failures.push(error),
    })
    if (failures.length > 0) throw failures[0]
    return reports
  }

  #tables(store: ObjectStore) {
    return { store, tables: openCatalog('directory', store), now: () => Date.now() + this.later }
  }
}
