import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import type { Context } from 'aws-lambda'
import type { Config } from '#shared/config.ts'
import { BatchFailedError } from '#shared/pipeline/batch-response.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import type { ScoringReport } from '#shared/scoring/endpoint-scorer.ts'

/** Where a runtime reports what became of each slice. */
export interface Telemetry {
  begin(context: Context): void
  /** @param oldest when the oldest of its records was produced, in milliseconds since 1970, where freshness is watched */
  slice(report: SliceReport, oldest?: number): void
  /** What asking an endpoint came to. */
  scoring?(report: ScoringReport): void
  /** The delivery could not be taken apart at all. */
  failure(error: unknown): void
  /** Writes out what is buffered; the last thing before a function answers. */
  end(): void
}

/** Structured logs and CloudWatch metrics of one pipeline. Logs hold positions and counts, never values. */
export class PowertoolsTelemetry implements Telemetry {
  readonly #logger: Logger
  readonly #metrics: Metrics

  constructor(pipeline: string, config: Pick<Config, 'logLevel' | 'metricsNamespace'>) {
    this.#logger = new Logger({ serviceName: pipeline, logLevel: config.logLevel })
    this.#metrics = new Metrics({ namespace: config.metricsNamespace, serviceName: pipeline })
  }

  begin(context: Context): void {
    this.#logger.addContext(context)
  }

  slice(report: SliceReport, oldest?: number): void {
    const { error, ...counts } = report
    for (const name of ['records', 'known', 'written', 'skipped', 'rejected', 'rows', 'files'] as const)
      this.#metrics.addMetric(name, MetricUnit.Count, report[name])
    this.#metrics.addMetric('bytes', MetricUnit.Bytes, report.bytes)
    for (const name of ['scored', 'unscored', 'waiting'] as const)
      if (report.scores !== undefined) this.#metrics.addMetric(name, MetricUnit.Count, report.scores[name])
    this.#metrics.addMetric('failed', MetricUnit.Count, error === null ? 0 : 1)
    // What was in the lake before says nothing of how fresh it is.
    if (error === null && oldest !== undefined && report.known < report.records)
      this.#metrics.addMetric('freshness', MetricUnit.Milliseconds, Math.max(0, Date.now() - oldest))
    if (error === null) this.#logger.info('slice landed', counts)
    else this.#logger.error('slice failed', { ...counts, code: error.code, stage: error.stage, error })
  }

  scoring(report: ScoringReport): void {
    const { rows, milliseconds, isBreakerOpen, throttles } = report
    if (rows === 0) return
    this.#metrics.addMetric('score latency', MetricUnit.Milliseconds, milliseconds / rows)
    this.#metrics.addMetric('score throttles', MetricUnit.Count, throttles)
    this.#metrics.addMetric('breaker open', MetricUnit.Count, isBreakerOpen ? 1 : 0)
    if (isBreakerOpen) this.#logger.warn('endpoint is away', { ...report })
  }

  failure(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error))
    // The slices that failed are logged and counted already, each with its own reason.
    if (cause instanceof BatchFailedError) return
    this.#logger.error('delivery refused', cause)
    this.#metrics.addMetric('failed', MetricUnit.Count, 1)
  }

  end(): void {
    this.#metrics.publishStoredMetrics()
    this.#logger.resetKeys()
  }
}
