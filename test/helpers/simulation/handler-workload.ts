import type { Context } from 'aws-lambda'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import type { TopicId } from '#shared/lake/log-keys.ts'
import { pipelineTables } from '#shared/lake/pipeline-tables.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { provenTables } from '#shared/lake/verify/snapshot-proof.ts'
import { BatchFailedError } from '#shared/pipeline/batch-response.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { redriveHandler } from '#shared/runtimes/redrive.ts'
import type { Telemetry } from '#shared/runtimes/telemetry.ts'
import { mskEvent } from '#shared/trigger/msk-event.ts'
import { readDataFiles } from './handler-files.ts'
import { formatOf, pipelinesOf, valueOf } from './handler-pipelines.ts'
import { scoreFaults, scorerOf } from './handler-scores.ts'
import { IcebergTable } from './iceberg-table.ts'
import { FAILURES_URL, LAKE_URL, TIMEOUT_MS } from './lambda.ts'
import { CLUSTER } from './mappings.ts'
import { MemoryTable } from './memory-table.ts'
import type { Version } from './topic.ts'
import type { Machine, Redrive, Workload } from './workload.ts'

/** The cluster is what an event's ARN says. */
const TOPIC: TopicId = {
  pipeline: 'flights',
  generation: 0,
  cluster: 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
  topic: 'flights',
}
const MOST_AT_A_TIME = 4
/** Of so many schedules one is verified in depth: all files are read by other code anyway. */
const DEEP_EVERY = 4

/** All of the function: events in, Parquet or JSON Lines out, by a pipeline with contracts; and the function that redrives. */
export function handlerWorkload(seed: number): Workload {
  const pipelines = pipelinesOf(formatOf(seed))
  const versionOf = (version: Version): Pipeline => pipelines[version] as Pipeline
  return {
    topic: TOPIC,
    tables: { rows: 'flights', deadLetters: 'flights_dead_letters' },
    open(exists) {
      const tables = pipelineTables(versionOf(0))
      const scored = versionOf(0).scores.length > 0 ? versionOf(0) : undefined
      if (tables.length > 0)
        return tables.map((table, i) => new IcebergTable(table, exists, i === 0 ? scored : undefined))
      return [new MemoryTable('flights', exists), new MemoryTable('flights_dead_letters', exists)]
    },
    valueOf,
    // Each dead letter costs a file of Parquet.
    odd: 0.15,
    filterOf: (marks) => ({ value: { mark: [...marks] } }),

    start(machine, version, trigger) {
      const lake = new ObjectStoreLake(machine.store)
      const concurrency = concurrencyOf(machine)
      const surroundings = {
        lake,
        telemetry: telemetryOf(machine),
        concurrency,
        scorer: scorerOf(() => machine.process.random()),
      }
      const handler = lambdaHandler({ ...versionOf(version), trigger }, surroundings)
      return (partitions) => handler(asJson(mskEvent({ partitions }, CLUSTER)), contextOf(machine))
    },

    redrive(machine, version) {
      const { store, failures } = machine
      const surroundings = { lake: store, openStore: () => failures, concurrency: concurrencyOf(machine) }
      const handler = redriveHandler([versionOf(version)], { ...surroundings, telemetry: telemetryOf(machine) })
      return async (redrive) => void (await handler(requestOf(redrive), contextOf(machine)))
    },

    read: readDataFiles,
    async verify(bucket) {
      const store = new S3Store(LAKE_URL, { client: bucket.client() })
      const isScored = versionOf(0).scores.length > 0
      const scores = isScored ? await scoreFaults(bucket, versionOf(0)) : []
      const isReplaced = (): boolean => isScored
      const faults = [...(await verifyLake(store, { deep: seed % DEEP_EVERY === 0, isReplaced })).faults]
      for await (const { proof } of provenTables(store, openCatalog('directory', store), { deep: isScored }))
        faults.push(...proof.faults)
      return [...scores, ...faults.map(({ object, fault }) => `${object}: ${fault}`)]
    },
    versionOf(name) {
      const version = pipelines.findIndex((pipeline) => pipeline.version === name)
      return version === -1 ? undefined : (version as Version)
    },
  }
}

/** What the redrive function is invoked with. */
function requestOf({ of, epoch, topic, partition, records }: Redrive): unknown {
  const pipeline = TOPIC.pipeline
  if (of === 'failed batches') return { pipeline, failureDestination: FAILURES_URL, epoch }
  return { pipeline, where: { topic, partition, from: records[0]?.offset, to: records.at(-1)?.offset } }
}

function concurrencyOf({ process }: Machine): number {
  return 1 + Math.floor(process.random() * MOST_AT_A_TIME)
}

/** Hears what became of each slice. */
function telemetryOf({ failed }: Machine): Telemetry {
  return {
    begin() {},
    slice({ partition, records, known, written, skipped, rejected, error }) {
      const counted = known + written + skipped + rejected
      if (error !== null) failed(partition, error)
      else if (counted !== records)
        failed(partition, new Error(`a slice of ${records} records accounts for ${counted}`))
    },
    failure(error) {
      // Told to the trigger before Lambda cuts the function off.
      const isLate = error instanceof Error && error.name === 'TimeoutError'
      if (!isLate && !(error instanceof BatchFailedError)) failed(-1, error)
    },
    end() {},
  }
}

function contextOf({ process }: Machine): Context {
  const end = process.now + TIMEOUT_MS
  return { getRemainingTimeInMillis: () => end - process.now } as Context
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
