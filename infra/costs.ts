import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { HOURS_A_MONTH, PRICES } from './prices.ts'
import { type Batches, batchesOf, type Workload } from './workload.ts'

/** What a part costs in a month, in US dollars; null when it is not known. */
export interface CostPart {
  readonly part: string
  readonly usd: number | null
  /** How it comes about. */
  readonly basis: string
}

/** Another way to bring the same stream into the lake. */
export interface Alternative {
  readonly name: string
  /** A month of the same stream; null when its price is not known. */
  readonly usd: number | null
  readonly basis: string
  /** Records a second at which both cost the same, and which is cheaper above; null when one is cheaper at every rate. */
  readonly breakEven: number | null
  readonly cheaperAbove: 'inlet' | 'other' | null
}

export interface Costs {
  readonly gigabytes: number
  readonly batches: Batches
  readonly parts: readonly CostPart[]
  /** Of what Inlet runs: function, committer, pollers. What compares with the others, which put files and commits too. */
  readonly delivery: number
  readonly alternatives: readonly Alternative[]
}

const SECONDS_A_MONTH = HOURS_A_MONTH * 3600
/** Pollers that a unit is made of: 20 MB/s of 5 each. */
const POLLERS_A_UNIT = 4
/** CPU of the Kafka Connect sink into Iceberg for a record, µs, measured beside the others on 1,000,000 events. */
const CONNECT_MICROSECONDS = 28
/** Above, a task or a worker is taken for full. */
const FULL = 0.7
/** The task of infra/container/ecs-service.yml, and when its slices land by default: shared/cli/commands/consume.ts. */
const TASK = { vcpu: 0.5, gigabytes: 1, sliceSeconds: 60, fileBytes: 128e6 }
/** A run of the committer: it writes five objects for a table, of which a pipeline has two. `npm run bench:commit`. */
const COMMITTER = { perMonth: SECONDS_A_MONTH / 60, tables: 2, objects: 5, cpuSeconds: 0.04 }
/** What a cluster keeps for, when the pipeline does not say: the default of MSK. */
const DEFAULT_RETENTION_DAYS = 7

/**
 * What a pipeline costs in a month of a steady stream.
 * @param firehose what Firehose takes for a GB; null when it is not known
 */
export function costsOf(pipeline: Pipeline, workload: Workload, firehose: number | null = PRICES.firehose.usd): Costs {
  const gigabytes = gigabytesOf(workload)
  const batches = batchesOf(pipeline, workload)
  const delivery = deliveryParts(pipeline, workload)
  return {
    gigabytes,
    batches,
    parts: [
      ...delivery,
      requestPart(pipeline, workload),
      ...clusterParts(pipeline, workload),
      ...lakeParts(workload),
      ...scoreParts(pipeline, workload),
    ],
    delivery: sum(delivery),
    alternatives: alternatives(pipeline, workload, firehose),
  }
}

function gigabytesOf({ rate, bytes }: Workload): number {
  return (rate * bytes * SECONDS_A_MONTH) / 1e9
}

function deliveryParts(pipeline: Pipeline, workload: Workload): readonly CostPart[] {
  const batches = batchesOf(pipeline, workload)
  const { memoryMegabytes } = workload
  const invocations = batches.perSecond * SECONDS_A_MONTH
  const gigabyteSeconds = invocations * batches.duration * (memoryMegabytes / 1024)
  const isProvisioned = pipeline.trigger.pollers !== null
  const units = Math.ceil(batches.pollers / POLLERS_A_UNIT)
  return [
    {
      part: 'Lambda, duration',
      usd: gigabyteSeconds * PRICES.lambdaDuration.usd,
      basis: `${count(invocations)} batches of ${count(batches.records)} records, ${seconds(batches.duration)} at ${memoryMegabytes} MB each`,
    },
    {
      part: 'Lambda, requests',
      usd: (invocations / 1e6) * PRICES.lambdaRequests.usd,
      basis: `a batch ends by its ${batches.limit}`,
    },
    committerPart(workload),
    {
      part: 'pollers',
      usd: isProvisioned ? units * PRICES.pollerUnit.usd * HOURS_A_MONTH : 0,
      basis: isProvisioned
        ? `${units} units for ${batches.pollers} pollers`
        : `on demand, in the price of Lambda; taken for ${batches.pollers}`,
    },
  ]
}

function committerPart({ memoryMegabytes, s3Milliseconds, partitions }: Workload): CostPart {
  const { tables, objects, perMonth, cpuSeconds } = COMMITTER
  const runSeconds = cpuSeconds * tables + (tables * (objects + partitions) * s3Milliseconds) / 1000
  const run = runSeconds * (memoryMegabytes / 1024) * PRICES.lambdaDuration.usd + PRICES.lambdaRequests.usd / 1e6
  return { part: 'committer', usd: perMonth * run, basis: `once a minute, ${seconds(runSeconds)}` }
}

function requestPart(pipeline: Pipeline, workload: Workload): CostPart {
  const { perSecond, slices, files } = batchesOf(pipeline, workload)
  const { tables, objects, perMonth } = COMMITTER
  const batches = perSecond * SECONDS_A_MONTH
  const commits = batches * slices
  const puts = batches * files + commits + perMonth * tables * (objects + workload.partitions)
  return {
    part: 'S3, requests',
    usd: (puts / 1e6) * PRICES.s3Put.usd + ((commits * tables) / 1e6) * PRICES.s3Get.usd,
    basis: `${count(puts)} puts and lists: ${files.toFixed(1)} files and ${slices.toFixed(1)} commits a batch, and the committer's`,
  }
}

/** Paid for whoever reads it. */
function clusterParts({ topicSettings }: Pipeline, workload: Workload): readonly CostPart[] {
  const gigabytes = gigabytesOf(workload)
  const { retentionMs } = topicSettings
  const days = retentionMs === null ? DEFAULT_RETENTION_DAYS : retentionMs / 86_400_000
  const kept = (gigabytes / (HOURS_A_MONTH / 24)) * days
  const hours = PRICES.mskCluster.usd + workload.partitions * PRICES.mskPartition.usd
  return [
    {
      part: 'MSK Serverless, cluster',
      usd: hours * HOURS_A_MONTH,
      basis: `with ${workload.partitions} partitions, for all topics once`,
    },
    {
      part: 'MSK Serverless, in and out',
      usd: gigabytes * (PRICES.mskIn.usd + PRICES.mskOut.usd),
      basis: `${count(gigabytes)} GB written, and read once`,
    },
    {
      part: 'MSK Serverless, storage',
      usd: days < 0 ? null : kept * PRICES.mskStorage.usd,
      basis: days < 0 ? 'kept for ever: it grows without end' : `${days} days`,
    },
  ]
}

function lakeParts(workload: Workload): readonly CostPart[] {
  const stored = gigabytesOf(workload) * workload.stored
  return [
    {
      part: 'S3, storage',
      usd: stored * PRICES.s3Storage.usd,
      basis: `${count(stored)} GB: of each month that is kept`,
    },
    {
      part: 'compaction',
      usd: null,
      basis: `a DPU is $${PRICES.glueDpu.usd} an hour; how much one compacts was not measured in AWS`,
    },
  ]
}

/** Each score of a slice's rows is asked for by itself. */
function scoreParts(pipeline: Pipeline, workload: Workload): readonly CostPart[] {
  const { perSecond, slices, records } = batchesOf(pipeline, workload)
  return pipeline.scores.map(({ endpoint, maxRows }) => {
    const requests = perSecond * SECONDS_A_MONTH * slices * Math.ceil(records / slices / maxRows)
    return {
      part: `endpoint ${endpoint}`,
      usd: null,
      basis: `about ${count(requests)} requests of up to ${count(maxRows)} rows: what they take is the instance's, or the model's time where it is serverless`,
    }
  })
}

function alternatives(pipeline: Pipeline, workload: Workload, firehose: number | null): readonly Alternative[] {
  const workers = ({ rate }: Workload, microseconds: number, vcpu: number) =>
    Math.max(1, Math.ceil((rate * microseconds) / 1e6 / vcpu / FULL))
  const mcus = (of: Workload) => workers(of, CONNECT_MICROSECONDS, 1)
  const tasks = (of: Workload) => workers(of, of.cpuMicroseconds, TASK.vcpu)
  const task = TASK.vcpu * PRICES.fargateVcpu.usd + TASK.gigabytes * PRICES.fargateMemory.usd
  const own = (of: Workload) => sum(deliveryParts(pipeline, of))
  const ownPuts = (of: Workload) => own(of) + (requestPart(pipeline, of).usd ?? 0)
  const others: readonly (readonly [string, string, ((of: Workload) => number) | null, (of: Workload) => number])[] = [
    [
      'Firehose',
      firehose === null ? 'its price for MSK is not known here: --firehose says it' : `$${firehose} a GB`,
      firehose === null ? null : (of) => gigabytesOf(of) * firehose,
      own,
    ],
    [
      'MSK Connect',
      `${mcus(workload)} MCU: ${CONNECT_MICROSECONDS} µs of CPU for a record of the Iceberg sink, ${FULL * 100}% busy`,
      (of) => mcus(of) * PRICES.mskConnect.usd * HOURS_A_MONTH,
      own,
    ],
    [
      'our container on Fargate',
      `${tasks(workload)} of ${TASK.vcpu} vCPU and ${TASK.gigabytes} GB, ${FULL * 100}% busy, the committer, and requests of S3 for a slice a minute, against all of Inlet's`,
      (of) => tasks(of) * task * HOURS_A_MONTH + (committerPart(of).usd ?? 0) + containerRequests(of),
      ownPuts,
    ],
  ]
  return others.map(([name, basis, cost, inlet]) => {
    if (cost === null) return { name, basis, usd: null, breakEven: null, cheaperAbove: null }
    return { name, basis, usd: cost(workload), ...breakEven(workload, inlet, cost) }
  })
}

/** Its slices are of a Kafka partition too, and land each minute, or when a file is full. */
function containerRequests(workload: Workload): number {
  const { rate, bytes, stored, partitions, filesPerSlice } = workload
  const { tables, objects, perMonth } = COMMITTER
  const perSecond = Math.max(partitions / TASK.sliceSeconds, (rate * bytes * stored) / filesPerSlice / TASK.fileBytes)
  const slices = perSecond * SECONDS_A_MONTH
  const puts = slices * (filesPerSlice + 1) + perMonth * tables * (objects + partitions)
  return (puts / 1e6) * PRICES.s3Put.usd + ((slices * tables) / 1e6) * PRICES.s3Get.usd
}

const RATES = { lowest: 0.1, highest: 1e6, steps: 200 }

/** The first rate, from below, at which the other side becomes the cheaper one; to two digits. */
function breakEven(
  workload: Workload,
  own: (of: Workload) => number,
  other: (of: Workload) => number,
): Pick<Alternative, 'breakEven' | 'cheaperAbove'> {
  const isOwnCheaper = (rate: number) => own({ ...workload, rate }) < other({ ...workload, rate })
  const { lowest, highest, steps } = RATES
  const first = isOwnCheaper(lowest)
  for (let step = 1; step <= steps; step++) {
    const rate = lowest * (highest / lowest) ** (step / steps)
    if (isOwnCheaper(rate) === first) continue
    return { breakEven: Number(rate.toPrecision(2)), cheaperAbove: first ? 'other' : 'inlet' }
  }
  return { breakEven: null, cheaperAbove: first ? 'inlet' : 'other' }
}

function sum(parts: readonly CostPart[]): number {
  return parts.reduce((total, { usd }) => total + (usd ?? 0), 0)
}

function count(value: number): string {
  return value < 10 ? String(Number(value.toPrecision(2))) : Math.round(value).toLocaleString('en-US')
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`
}
