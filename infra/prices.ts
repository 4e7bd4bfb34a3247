/** A price in US dollars, and the page that it was read on: AWS's own where that says it, else one that copies or uses it. */
export interface Price {
  /** Null when nobody has found out. */
  readonly usd: number | null
  readonly per: string
  readonly source: string
  /** What is to be known about it. */
  readonly note?: string
}

/** When these were put together. They are of us-east-1, on demand, without free tiers, discounts or taxes. */
export const PRICES_READ = '2026-11-23'

const LAMBDA = 'https://aws.amazon.com/lambda/pricing/'
const MSK = 'https://aws.amazon.com/msk/pricing/'
const MSK_TABLE = 'https://gist.github.com/EverettBerry/d24aa940ad43c313803248cea6366682'
const S3 = 'https://aws.amazon.com/s3/pricing/'
const FARGATE = 'https://www.vantage.sh/blog/fargate-pricing'

export const PRICES = {
  lambdaDuration: { usd: 0.000_013_333_4, per: 'GB-second, arm64', source: LAMBDA },
  lambdaRequests: { usd: 0.2, per: 'million requests', source: LAMBDA },
  pollerUnit: {
    usd: 0.185,
    per: 'hour of an event poller unit',
    source: LAMBDA,
    note: 'a unit carries 20 MB/s, as four pollers do',
  },
  mskCluster: { usd: 0.75, per: 'hour of an MSK Serverless cluster', source: MSK },
  mskPartition: { usd: 0.0015, per: 'hour of a partition', source: MSK },
  mskIn: { usd: 0.1, per: 'GB written', source: MSK },
  mskOut: { usd: 0.05, per: 'GB read', source: MSK },
  mskStorage: { usd: 0.1, per: 'GB-month', source: MSK_TABLE, note: 'a copy of the price list, of 2022' },
  s3Put: { usd: 5, per: 'million PUT or LIST requests', source: S3 },
  s3Get: { usd: 0.4, per: 'million GET requests', source: S3 },
  s3Storage: { usd: 0.023, per: 'GB-month, S3 Standard', source: S3, note: 'the first 50 TB' },
  glueDpu: { usd: 0.44, per: 'DPU-hour', source: 'https://aws.amazon.com/glue/pricing/' },
  mskConnect: {
    usd: 0.11,
    per: 'hour of an MCU',
    source: 'https://www.dbaglobe.com/2026/03/streaming-kafka-cdc-to-s3-iceberg-with.html',
    note: 'of March 2026: four are about $316 a month',
  },
  fargateVcpu: { usd: 0.032_38, per: 'vCPU-hour, arm64', source: FARGATE },
  fargateMemory: { usd: 0.003_56, per: 'GB-hour, arm64', source: FARGATE },
  interfaceEndpoint: {
    usd: 0.01,
    per: 'hour of an interface endpoint in a zone',
    source: 'https://cloudcostkit.com/calculators/aws-vpc-interface-endpoint-cost-calculator',
    note: 'and $0.01 for each GB',
  },
  kmsKey: { usd: 1, per: 'key-month', source: 'https://cloudburn.io/blog/aws-kms-pricing', note: 'of March 2026' },
  alarmMetric: {
    usd: 0.1,
    per: 'metric of an alarm and month',
    source: 'https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm',
  },
  dashboard: {
    usd: 3,
    per: 'dashboard-month',
    source: 'https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/',
    note: 'of June 2026',
  },
  firehose: {
    usd: null,
    per: 'GB from MSK into Iceberg tables',
    source: 'https://aws.amazon.com/firehose/pricing/',
    note: 'its page shows the list by a script, and no other page was found that says it. Say what it is for you with --firehose',
  },
} as const satisfies Record<string, Price>

export const HOURS_A_MONTH = 730
