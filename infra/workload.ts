import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { PAYLOAD_BYTES } from '#shared/pipeline/trigger.ts'

/** A stream of events, and what is assumed of how it is worked on. */
export interface Workload {
  /** Records a second. */
  readonly rate: number
  /** Of a record's value, before base64. */
  readonly bytes: number
  /** Of the topic. */
  readonly partitions: number
  /** CPU of a full core for a record, µs. */
  readonly cpuMicroseconds: number
  /** A put to S3, ms. */
  readonly s3Milliseconds: number
  /** Table partitions that the records of a slice fall into. */
  readonly filesPerSlice: number
  /** Bytes of a file for a byte of a record's value. */
  readonly stored: number
  readonly memoryMegabytes: number
}

/** What a trigger makes of it. */
export interface Batches {
  readonly pollers: number
  /** Records of a batch, on average. */
  readonly records: number
  /** What ends a batch. */
  readonly limit: 'window' | 'batch size' | 'payload'
  readonly perSecond: number
  /** Kafka partitions in a batch: each is a slice, with a commit. */
  readonly slices: number
  /** Seconds that the function takes. */
  readonly duration: number
  readonly files: number
  /** Records of a file, on average. */
  readonly recordsPerFile: number
}

/** What a record adds to an event beside its value: 10,000 records of 400 bytes make an event of 6.76 MB. */
const ENVELOPE_BYTES = 143
/** What Lambda waits for when the window is 0: nothing that is known. What it collects without one (half a second) is the most. */
const NO_WINDOW_SECONDS = 0.5
/** Of a poller. Lambda Developer Guide, "Apache Kafka event poller scaling modes". */
const POLLER_BYTES = 5_000_000
const MEGABYTES_PER_VCPU = 1769
/** Files, and slices, that are written at a time: shared/config.ts. */
const CONCURRENCY = 8

/** The batches of a steady stream whose keys are spread evenly. */
export function batchesOf({ trigger }: Pipeline, workload: Workload): Batches {
  const { rate, bytes, partitions, filesPerSlice } = workload
  const { minimum, maximum } = trigger.pollers ?? { minimum: 1, maximum: partitions }
  const needed = Math.ceil((rate * bytes) / POLLER_BYTES)
  const pollers = Math.min(Math.max(minimum, needed), Math.max(minimum, Math.min(maximum, partitions)))
  const window = trigger.batchingWindowSeconds || NO_WINDOW_SECONDS
  const limits = {
    window: Math.max(1, (rate / pollers) * window),
    'batch size': trigger.batchSize,
    payload: Math.max(1, Math.floor(PAYLOAD_BYTES / (Math.ceil(bytes / 3) * 4 + ENVELOPE_BYTES))),
  }
  const [[limit, records]] = Object.entries(limits).sort(([, a], [, b]) => a - b) as [[Batches['limit'], number]]
  const slices = Math.min(partitions / pollers, records)
  const perSecond = rate / records
  const files = slices * Math.min(filesPerSlice, records / slices)
  const duration = durationOf(records, slices, files, workload)
  return { pollers, records, limit, perSecond, slices, duration, files, recordsPerFile: records / files }
}

/** The CPU of its records at the function's share of a core, then puts: of files, and behind them of commits. */
function durationOf(records: number, slices: number, files: number, workload: Workload): number {
  const share = Math.min(1, workload.memoryMegabytes / MEGABYTES_PER_VCPU)
  const cpu = (records * workload.cpuMicroseconds) / 1e6 / share
  const rounds = Math.ceil(files / CONCURRENCY) + Math.ceil(slices / CONCURRENCY)
  return cpu + (rounds * workload.s3Milliseconds) / 1000
}

/** Part of a histogram: files of less than `below` bytes, and no less than the part before. */
export interface SizeShare {
  readonly below: number
  readonly share: number
}

const SIZES = [64e3, 256e3, 1e6, 4e6, 16e6, 64e6, Number.POSITIVE_INFINITY]

/** How large files come out, when records arrive independently of one another: their number in one is Poisson's. */
export function fileSizes({ recordsPerFile }: Batches, { bytes, stored }: Workload): readonly SizeShare[] {
  const shares = SIZES.map((below) => ({ below, share: 0 }))
  // So far away from the mean that nothing is left: 12 standard deviations.
  const reach = Math.ceil(recordsPerFile + 12 * Math.sqrt(recordsPerFile) + 12)
  let logFactorial = 0
  for (let count = 1; count <= reach; count++) {
    logFactorial += Math.log(count)
    const share = Math.exp(count * Math.log(recordsPerFile) - recordsPerFile - logFactorial)
    const size = shares.find(({ below }) => count * bytes * stored < below)
    if (size !== undefined) size.share += share
  }
  // An empty file is never written.
  const written = shares.reduce((sum, { share }) => sum + share, 0)
  return shares.map(({ below, share }) => ({ below, share: share / written }))
}
