import process from 'node:process'
import type { TableCommit } from '#shared/lake/committer.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { applyTables, commitTables } from '#shared/lake/pipeline-tables.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { StartingPosition } from '#shared/pipeline/trigger.ts'
import { TableCommits } from '#shared/runtimes/container-tables.ts'
import { clusterIdentity } from '#shared/runtimes/kafka-identity.ts'
import { runKafkaTrigger } from '#shared/runtimes/kafka-trigger.ts'
import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { partitionBounds } from '#shared/runtimes/partition-bounds.ts'
import type { Telemetry } from '#shared/runtimes/telemetry.ts'
import type { KafkaConnection } from '#shared/sources/kafka-connection.ts'
import type { KafkaTopic } from '#shared/sources/kafka-topic.ts'
import { openTopic } from './kafka-start.ts'
import { formatCount, Progress } from './progress.ts'
import { type RunSummary, Tally } from './run.ts'
import { openScorer } from './scorer.ts'

export interface KafkaRunOptions {
  readonly lake: string
  readonly catalog: string
  readonly group: string
  /** See `clusterIdentity`. */
  readonly cluster: string | undefined
  readonly startingPosition: StartingPosition
  /** Where batches go that are given up; null when they are lost. */
  readonly failures: string | null
  readonly batchSize: number
  readonly untilEnd: boolean
}

const CONCURRENCY = 8
const SESSION_MS = 30_000
/** Between two commits of the tables while a topic is followed. */
const TABLES_MS = 10_000

/**
 * Runs a pipeline's handler over its topic, as its trigger would, until the end of the topic or until it is to stop. Its
 * tables are made before, and take what has landed on the way and at the end.
 * @throws KafkaError what cannot heal
 */
export async function runOnKafka(
  pipeline: Pipeline,
  connection: KafkaConnection,
  options: KafkaRunOptions,
  signal: AbortSignal,
): Promise<RunSummary> {
  const { group: groupId, untilEnd, failures, batchSize } = options
  const member = { groupId, clientId: `inlet-${pipeline.name}`, instanceId: null, sessionMs: SESSION_MS }
  const topic = await openTopic(connection, { topic: pipeline.topic, ...member }, signal)
  try {
    const { source } = clusterIdentity(options.cluster, topic.clusterId, connection.brokers.join(','))
    const store = openLake(options.lake, { catalog: options.catalog, pipelines: [pipeline] })
    const surroundings = { store, tables: openCatalog(options.catalog, store), now: Date.now }
    await applyTables(surroundings, pipeline)
    const commits: TableCommit[] = []
    const commit = (): Promise<void> => commitTables(surroundings, pipeline, { onCommit: (each) => commits.push(each) })
    const tables = new TableCommits(commit, TABLES_MS, (error) => say(String(error)))
    const progress = untilEnd ? new Progress(pipeline.name, await offsetsLeft(topic), 'records') : undefined
    const tally = new Tally((records) => progress?.advance(records))
    const telemetry: Telemetry = {
      begin() {},
      slice(report) {
        tally.add(report)
        tables.landed()
        if (progress === undefined) say(tally.line())
      },
      failure: (error) => say(error instanceof Error ? error.message : String(error)),
      end() {},
    }
    const scorer = await openScorer(pipeline, store, (report) => tally.asked(report))
    const ran = { ...pipeline, trigger: { ...pipeline.trigger, batchSize } }
    const started = performance.now()
    try {
      await runKafkaTrigger(ran, {
        topic,
        source,
        handler: lambdaHandler(ran, { lake: new ObjectStoreLake(store), telemetry, concurrency: CONCURRENCY, scorer }),
        startingPosition: options.startingPosition,
        failures: failures === null ? null : openStore(failures),
        untilEnd,
        signal,
        listener: {
          onAssigned: (partitions) => {
            if (!untilEnd) say(`partitions ${partitions.join(', ') || 'none'} of ${topic.topic} are read`)
          },
          onFault: ({ message }, pauseMs) => say(`${message}${pauseMs === 0 ? '' : `; again in ${pauseMs} ms`}`),
          onDiscarded: ({ condition, partitions }) => {
            const records = partitions.reduce((sum, each) => sum + each.records.length, 0)
            const where = failures ?? 'they are lost: the trigger declares no failure destination'
            say(`${formatCount(records)} records were given up (${condition}): ${where}`)
          },
          onFiltered: (records) => tally.filtered(records),
        },
      })
    } finally {
      progress?.stop()
      // What has landed is for the tables, whatever it was that ended the run.
      await tables.finish()
    }
    return { pipeline: pipeline.name, ...tally.sum, seconds: (performance.now() - started) / 1000, commits }
  } finally {
    await topic.close().catch(() => {})
  }
}

/** How far the group is behind the end of the topic, or the topic's length for a new one. */
async function offsetsLeft(topic: KafkaTopic): Promise<number> {
  const bounds = await partitionBounds(topic, topic.partitions, 'TRIM_HORIZON')
  let left = 0
  for (const { committed, earliest, latest } of bounds.values()) left += latest - (committed ?? earliest)
  return left
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
