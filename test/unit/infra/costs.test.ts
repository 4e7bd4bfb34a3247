import * as z from 'zod'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import type { TriggerOptions } from '#shared/pipeline/trigger.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'
import { costsOf, type Costs } from '../../../infra/costs.ts'
import { costsReport } from '../../../infra/costs-report.ts'
import { PRICES } from '../../../infra/prices.ts'
import { batchesOf, fileSizes, type Workload } from '../../../infra/workload.ts'

const pipeline = (trigger: TriggerOptions = {}): Pipeline =>
  definePipeline({
    name: 'clicks',
    topic: 'clicks',
    trigger,
    event: z.object({ a: z.string() }),
    row: z.object({ a: z.string() }),
    transform: ({ value }) => value,
    lake: { table: 'clicks', layout: 'files' },
  })

const WORKLOAD: Workload = {
  rate: 1000,
  bytes: 400,
  partitions: 8,
  cpuMicroseconds: 17,
  s3Milliseconds: 50,
  filesPerSlice: 1,
  stored: 0.1,
  memoryMegabytes: 1769,
}

const batches = (workload: Partial<Workload> = {}, trigger: TriggerOptions = {}) =>
  batchesOf(pipeline(trigger), { ...WORKLOAD, ...workload })

test('a batch ends by its window, its size or its payload', () => {
  expect(batches()).toMatchObject({ records: 5000, limit: 'window', perSecond: 0.2, slices: 8 })
  expect(batches({}, { batchSize: 100 })).toMatchObject({ records: 100, limit: 'batch size', perSecond: 10 })
  // Measured: about 8,800 records of 400 bytes fit.
  const full = batches({ rate: 5000 })
  expect(full.limit).toBe('payload')
  expect(Math.abs(full.records - 8800)).toBeLessThan(100)
  expect(batches({}, { batchingWindowSeconds: 0 }).records).toBe(500)
  expect(batches({ rate: 0.01 })).toMatchObject({ records: 1, slices: 1, files: 1 })
})

test('pollers are as many as bytes and declarations ask for, and no more than partitions', () => {
  expect(batches({ rate: 100_000 }).pollers).toBe(8)
  expect(batches({ rate: 25_000 })).toMatchObject({ pollers: 2, slices: 4 })
  expect(batches({}, { mode: 'provisioned', pollers: { minimum: 4, maximum: 4 } })).toMatchObject({
    pollers: 4,
    slices: 2,
  })
})

test('a batch takes the CPU of its records, a round of files and one of commits', () => {
  expect(batches().duration).toBeCloseTo(5000 * 17e-6 + 2 * 0.05)
  expect(batches({ memoryMegabytes: 884.5 }).duration).toBeCloseTo(5000 * 34e-6 + 2 * 0.05)
  expect(batches({ filesPerSlice: 3 }).duration).toBeCloseTo(5000 * 17e-6 + 4 * 0.05)
})

test('sizes of files are those of a Poisson process', () => {
  // 1,600 records of 400 bytes at a tenth are 64 kB: half of the files are on either side.
  const sizes = fileSizes({ ...batches(), recordsPerFile: 1600 }, WORKLOAD)
  expect(sizes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  expect(sizes[0]?.share).toBeCloseTo(0.5, 1)
  expect(sizes[1]?.share).toBeCloseTo(0.5, 1)
  const large = fileSizes({ ...batches(), recordsPerFile: 2e5 }, WORKLOAD)
  expect(large.find(({ share }) => share > 0.99)?.below).toBe(16e6)
  expect(fileSizes({ ...batches(), recordsPerFile: 0.01 }, WORKLOAD)[0]?.share).toBeCloseTo(1)
})

const partOf = ({ parts }: Costs, name: string) => parts.find(({ part }) => part === name)?.usd

test('each part is its quantity at its price', () => {
  const costs = costsOf(pipeline(), WORKLOAD)
  const invocations = 0.2 * 730 * 3600
  expect(costs.gigabytes).toBeCloseTo((1000 * 400 * 730 * 3600) / 1e9)
  expect(partOf(costs, 'Lambda, requests')).toBeCloseTo((invocations * 0.2) / 1e6)
  expect(partOf(costs, 'Lambda, duration')).toBeCloseTo(invocations * 0.185 * (1769 / 1024) * 0.0000133334)
  const committer = 730 * 60 * 2 * (5 + 8)
  const puts = invocations * 16 + committer
  expect(partOf(costs, 'S3, requests')).toBeCloseTo((puts * 5 + invocations * 8 * 2 * 0.4) / 1e6)
  expect(partOf(costs, 'MSK Serverless, cluster')).toBeCloseTo((0.75 + 8 * 0.0015) * 730)
  expect(partOf(costs, 'pollers')).toBe(0)
  expect(partOf(costs, 'compaction')).toBeNull()
  const provided = costsOf(pipeline({ mode: 'provisioned', pollers: { minimum: 5 } }), WORKLOAD)
  expect(partOf(provided, 'pollers')).toBeCloseTo(2 * 0.185 * 730)
})

test('a break-even rate is where the cheaper one changes', () => {
  const { alternatives, delivery } = costsOf(pipeline(), WORKLOAD, 0.07)
  expect(alternatives.map(({ name }) => name)).toEqual(['Firehose', 'MSK Connect', 'our container on Fargate'])
  const [firehose, connect, container] = alternatives
  expect(firehose?.usd).toBeCloseTo(0.07 * ((1000 * 400 * 730 * 3600) / 1e9))
  const at = (rate: number) => costsOf(pipeline(), { ...WORKLOAD, rate })
  expect(at(WORKLOAD.rate).delivery).toBe(delivery)
  // Of the container it is known how often it puts: its requests of S3 are compared, too.
  const own = (rate: number) => at(rate).delivery + (partOf(at(rate), 'S3, requests') ?? 0)
  const even = container?.breakEven ?? 0
  const containerAt = (rate: number) => costsOf(pipeline(), { ...WORKLOAD, rate }).alternatives[2]?.usd ?? 0
  expect([container?.cheaperAbove, connect?.breakEven, connect?.cheaperAbove]).toEqual(['other', null, 'inlet'])
  expect(own(even * 0.8)).toBeLessThan(containerAt(even * 0.8))
  expect(own(even * 1.1)).toBeGreaterThan(containerAt(even * 1.1))
})

test('the container pays for a slice of each partition a minute, too', () => {
  const { alternatives, parts } = costsOf(pipeline(), WORKLOAD)
  const slices = (8 / 60) * 730 * 3600
  const puts = slices * 2 + 730 * 60 * 2 * (5 + 8)
  const task = 730 * (0.5 * PRICES.fargateVcpu.usd + PRICES.fargateMemory.usd)
  const committer = parts.find(({ part }) => part === 'committer')?.usd ?? 0
  expect(alternatives[2]?.usd).toBeCloseTo(task + committer + (puts * 5 + slices * 2 * 0.4) / 1e6)
})

test('who pays for requests more than for all else that runs is told how to have fewer', () => {
  const told = (trigger?: TriggerOptions) => costsReport(pipeline(trigger), WORKLOAD).page
  expect(told()).toContain('a longer trigger.batchingWindowSeconds, or fewer partitions of the topic')
  expect(told({ mode: 'provisioned' })).not.toContain('batchingWindowSeconds')
})

test('what endpoints take is said to be unknown, and how often they are asked is not', () => {
  const scored = scoredSensors({ batch: { rows: 500 } })
  const { parts } = costsOf(scored, WORKLOAD)
  // 5,000 records in 8 slices are two requests each.
  const requests = Math.round(0.2 * 8 * 2 * 730 * 3600).toLocaleString('en-US')
  expect(parts).toContainEqual({
    part: 'endpoint sensor-risk',
    usd: null,
    basis: expect.stringContaining(`about ${requests} requests of up to 500 rows`),
  })
  expect(costsReport(scored, WORKLOAD).page).toMatch(/endpoint sensor-risk +unknown +unknown/)
  expect(costsOf(pipeline(), WORKLOAD).parts.map(({ part }) => part)).not.toContainEqual(
    expect.stringContaining('endpoint'),
  )
})

test('what is not known is said to be unknown, and every price has a source', () => {
  const { page, json } = costsReport(pipeline(), WORKLOAD)
  expect(page).toMatch(/compaction +unknown +unknown/)
  expect(page).toMatch(/Firehose +unknown +unknown .*--firehose/)
  expect(JSON.parse(JSON.stringify(json))).toMatchObject({ pipeline: 'clicks', prices: { firehose: { usd: null } } })
  expect(costsReport(pipeline(), WORKLOAD, 0.07).page).toMatch(/Firehose +73\.58 +0\.0700/)
  for (const { source, per } of Object.values(PRICES))
    expect([source, per]).toEqual([expect.stringMatching(/^https:/), expect.stringMatching(/./)])
})
