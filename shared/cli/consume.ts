import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import type { LogEntry } from '#shared/lake/log-entry.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { applyTables, commitTables } from '#shared/lake/pipeline-tables.ts'
import { ByteGate } from '#shared/lake/verify/byte-gate.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { Container } from '#shared/runtimes/container.ts'
import type { ContainerLimits, ContainerListener } from '#shared/runtimes/container-options.ts'
import { ContainerMetrics } from '#shared/runtimes/container-metrics.ts'
import { ScratchFolder } from '#shared/runtimes/container-scratch.ts'
import { StateServer } from '#shared/runtimes/container-server.ts'
import { TableCommits } from '#shared/runtimes/container-tables.ts'
import { clusterIdentity } from '#shared/runtimes/kafka-identity.ts'
import type { KafkaConnection } from '#shared/sources/kafka-connection.ts'
import { compileFilters } from '#shared/trigger/event-filter.ts'
import { openTopic } from './kafka-start.ts'
import { formatBytes, formatCount } from './progress.ts'
import { openScorer } from './scorer.ts'
import { textTable } from './text-table.ts'

export interface ConsumeOptions {
  readonly lake: string
  /** The catalog whose tables take what has landed; null when somebody else sees to that. */
  readonly catalog: string | null
  readonly group: string
  readonly instance: string | null
  /** See `clusterIdentity`. */
  readonly cluster: string | undefined
  readonly untilEnd: boolean
  readonly scratch?: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly sessionMs: number
  readonly limits: ContainerLimits
}

/** What a consumer came to. */
export interface ConsumeSummary {
  readonly pipeline: string
  readonly records: number
  readonly written: number
  readonly rows: number
  readonly deadLetters: number
  readonly skipped: number
  readonly files: number
  readonly bytes: number
  readonly commits: number
  readonly seconds: number
}

/**
 * Consumes the pipeline's topic into a lake until it is told to stop, or until the topic's end.
 * @param signal aborted when it is to stop: what is open lands first
 * @throws KafkaError, InletError what cannot heal
 */
export async function consume(
  pipeline: Pipeline,
  connection: KafkaConnection,
  options: ConsumeOptions,
  signal: AbortSignal,
): Promise<ConsumeSummary> {
  const { limits, group, instance, sessionMs, untilEnd } = options
  const log = logOf(pipeline.name)
  const store = openLake(options.lake, { catalog: options.catalog, pipelines: [pipeline] })
  const member = { groupId: group, clientId: `inlet-${pipeline.name}`, instanceId: instance, sessionMs }
  const topic = await openTopic(connection, { topic: pipeline.topic, ...member }, signal)
  const scratch = await ScratchFolder.make(options.scratch ?? path.join(os.tmpdir(), 'inlet-consume'))
  let server: StateServer | undefined
  try {
    const { cluster } = clusterIdentity(options.cluster, topic.clusterId, connection.brokers.join(','))
    const tables = new TableCommits(await tablesIn(store, pipeline, options.catalog), tablesMs(pipeline), (error) =>
      log('WARN', 'the tables did not take what has landed; the next commit of them will', { fault: String(error) }),
    )
    const tally = new Tally(pipeline.name)
    const started = performance.now()
    let turned = started
    const container = new Container({
      topic,
      limits,
      listener: listenerOf(log, () => metrics, tally, tables),
      surroundings: {
        flow: compileFlow(pipeline),
        scorer: await openScorer(pipeline, store, (report) => {
          if (report.isBreakerOpen) log('WARN', 'endpoint is away', { ...report })
        }),
        scratch,
        gate: new ByteGate(limits.fileBytes),
        store,
        source: { pipeline: pipeline.name, generation: pipeline.generation, cluster, topic: pipeline.topic },
        startingPosition: pipeline.trigger.startingPosition,
        isWanted: compileFilters(pipeline.trigger.filters),
        now: () => {
          turned = performance.now()
          return turned
        },
        onMissed: (partition, records) =>
          log('WARN', 'records were deleted from the topic before they could land', { partition, records }),
      },
      untilEnd,
      signal,
    })
    const metrics = new ContainerMetrics(pipeline.name, container, Date.now)
    server = await StateServer.listen(
      {
        isAlive: () => performance.now() - turned < ALIVE_MS,
        isReady: () => container.isReady,
        metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
      },
      options.listen.host,
      options.listen.port,
    )
    log('INFO', 'consuming', { topic: topic.topic, cluster, group, state: server.url, scratch: scratch.path })
    tables.landed()
    try {
      await container.run()
    } finally {
      // What has landed is for the tables, whatever it was that ended the consumer.
      await tables.finish()
    }
    return tally.summary((performance.now() - started) / 1000)
  } finally {
    await server?.close()
    await scratch.remove()
    await topic.close().catch(() => {})
  }
}

/** Between two commits of the tables; none for a pipeline that wants its rows to be seen at once. */
function tablesMs({ commit }: Pipeline): number {
  return commit === 'immediate' ? 0 : 60_000
}

/** Makes the pipeline's tables. @returns what brings into them what has landed */
async function tablesIn(store: ObjectStore, pipeline: Pipeline, catalog: string | null) {
  if (catalog === null) return undefined
  const surroundings = { store, tables: openCatalog(catalog, store), now: Date.now }
  await applyTables(surroundings, pipeline)
  return () => commitTables(surroundings, pipeline)
}

/** Longer than any pause, and than the longest work between two looks at the clock. */
const ALIVE_MS = 120_000

/** Writes a line of JSON to standard error, as functions write them to their logs. */
type Log = (level: 'INFO' | 'WARN', message: string, fields?: object) => void

function logOf(service: string): Log {
  return (level, message, fields = {}) => {
    const line = JSON.stringify({ level, message, timestamp: new Date().toISOString(), service, ...fields })
    process.stderr.write(`${line}\n`)
  }
}

function listenerOf(log: Log, metrics: () => ContainerMetrics, tally: Tally, tables: TableCommits): ContainerListener {
  return {
    onAssigned: (partitions) => log('INFO', 'partitions assigned', { partitions: [...partitions] }),
    onLanded: (partition, commit, ms) => {
      const { start, end, counts, files } = commit
      log('INFO', 'slice landed', { partition, start, end, ...counts, files: files.length, ms: Math.round(ms) })
      metrics().landed(partition, commit, Date.now())
      tally.add(commit)
      tables.landed()
    },
    onOvertaken: (partition) => {
      log('WARN', 'another writer was first: its records are read again', { partition })
      metrics().overtaken()
    },
    onFault: (error, pauseMs) => {
      log('WARN', 'waiting for something to heal', { fault: error.message, pauseMs })
      metrics().fault()
    },
    onHealed: () => log('INFO', 'healed'),
    onPaused: (isPaused) => log('INFO', isPaused ? 'reading is paused: memory or disk is full' : 'reading goes on'),
    onDropped: (partitions, records) =>
      log('WARN', 'no time was left to land what is open: it will be read again', { partitions, records }),
  }
}

/** The summary as a table for people. */
export function consumedPage(summary: ConsumeSummary): string {
  const { records, rows, deadLetters, skipped, commits, files, bytes, seconds } = summary
  const shown = { 'records in': records, rows, 'dead letters': deadLetters, skipped, commits, files }
  return textTable(
    [...Object.keys(shown), 'bytes', 'records/s'],
    [[...Object.values(shown).map(formatCount), formatBytes(bytes), formatCount(records / Math.max(seconds, 0.001))]],
  )
}

class Tally {
  readonly #sum = { records: 0, written: 0, rows: 0, deadLetters: 0, skipped: 0, files: 0, bytes: 0, commits: 0 }
  readonly #pipeline: string

  constructor(pipeline: string) {
    this.#pipeline = pipeline
  }

  add({ counts, files }: LogEntry): void {
    const sum = this.#sum
    sum.records += counts.records
    sum.written += counts.written
    sum.rows += counts.rows
    sum.deadLetters += counts.rejected
    sum.skipped += counts.skipped
    sum.files += files.length
    sum.bytes += files.reduce((bytes, file) => bytes + file.bytes, 0)
    sum.commits += 1
  }

  summary(seconds: number): ConsumeSummary {
    return { pipeline: this.#pipeline, ...this.#sum, seconds }
  }
}
