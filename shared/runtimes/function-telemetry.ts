import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import type { Context } from 'aws-lambda'
import type { Config } from '#shared/config.ts'

/** Structured logs and CloudWatch metrics of a function that serves all pipelines: both of the service that is named. */
export class FunctionTelemetry {
  protected readonly logger: Logger
  readonly #metrics: Metrics

  constructor(service: string, { logLevel, metricsNamespace }: Pick<Config, 'logLevel' | 'metricsNamespace'>) {
    this.logger = new Logger({ serviceName: service, logLevel })
    this.#metrics = new Metrics({ namespace: metricsNamespace, serviceName: service })
  }

  begin(context: Context): void {
    this.logger.addContext(context)
  }

  /** @param unit a count unless it is said */
  protected measure(
    metric: string,
    value: number,
    unit: (typeof MetricUnit)[keyof typeof MetricUnit] = MetricUnit.Count,
  ): void {
    this.#metrics.addMetric(metric, unit, value)
  }

  end(): void {
    this.#metrics.publishStoredMetrics()
    this.logger.resetKeys()
  }
}
