import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { LogEntry } from '#shared/lake/log-entry.ts'
import type { Container } from './container.ts'

/** What a consumer counts, for Prometheus. */
export class ContainerMetrics {
  readonly #registry = new Registry()
  readonly #records = this.#counter('inlet_records_total', 'Records that have landed, by what became of them', [
    'outcome',
  ])
  readonly #rows = this.#counter('inlet_rows_total', 'Rows that have landed')
  readonly #bytes = this.#counter('inlet_bytes_total', 'Bytes of data files that have landed')
  readonly #files = this.#counter('inlet_files_total', 'Data files that have landed')
  readonly #commits = this.#counter('inlet_commits_total', 'Commits, by whether another writer was first', ['result'])
  readonly #faults = this.#counter('inlet_faults_total', 'Faults that could heal, each of which was waited for')
  readonly #lastCommit = new Map<number, number>()

  /** @param now milliseconds since 1970 */
  constructor(pipeline: string, container: Container, now: () => number) {
    const started = now()
    this.#registry.setDefaultLabels({ pipeline })
    collectDefaultMetrics({ register: this.#registry })
    const gauge = (name: string, help: string, read: () => number): void => {
      this.#registry.registerMetric(
        new Gauge({
          name,
          help,
          registers: [],
          collect() {
            this.set(read())
          },
        }),
      )
    }
    gauge('inlet_ready', 'Whether the consumer is in its group, and waits for nothing to heal', () =>
      Number(container.isReady),
    )
    gauge('inlet_paused', 'Whether nothing is read because memory or disk is full', () => Number(container.isPaused))
    gauge('inlet_buffered_bytes', 'Memory that open slices take, about', () => container.memory)
    gauge('inlet_scratch_bytes', 'Local disk that open slices take', () => container.scratchBytes)
    gauge('inlet_filtered_records', "Records that the trigger's filters have kept out, of the partitions held", () =>
      [...container.partitions.values()].reduce((sum, { filtered }) => sum + filtered, 0),
    )
    gauge('inlet_last_commit_age_seconds', 'Time since the newest commit, or since the start', () => {
      return (now() - Math.max(started, ...this.#lastCommit.values())) / 1000
    })
    this.#registry.registerMetric(
      new Gauge({
        name: 'inlet_lag_records',
        help: 'Offsets that are in the topic and not in the lake, of the partitions held',
        labelNames: ['partition'],
        registers: [],
        collect() {
          this.reset()
          for (const { partition, isOpen, end, done } of container.partitions.values())
            if (isOpen) this.set({ partition: String(partition) }, Math.max(0, end - done))
        },
      }),
    )
  }

  landed(partition: number, { counts, files }: LogEntry, now: number): void {
    for (const outcome of ['written', 'rejected', 'skipped'] as const) this.#records.inc({ outcome }, counts[outcome])
    this.#rows.inc(counts.rows)
    this.#files.inc(files.length)
    this.#bytes.inc(files.reduce((sum, { bytes }) => sum + bytes, 0))
    this.#commits.inc({ result: 'landed' })
    this.#lastCommit.set(partition, now)
  }

  overtaken(): void {
    this.#commits.inc({ result: 'overtaken' })
  }

  fault(): void {
    this.#faults.inc()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** In the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }
}
