import type { IncomingMessage } from 'node:http'
import type { Context } from 'aws-lambda'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { type Fault, seededFaults } from '#test/helpers/fault-proxy.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'
import { originsIn, sensorRecords } from '#test/helpers/sensor-records.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { Random } from '#test/helpers/simulation/random.ts'

const faulty = faultyS3()

const url = (): string => faulty.url
const direct = (): S3Store => new S3Store(url(), { client: faulty.s3.client() })

/** A Lambda function that writes through the proxy, and what its slices reported. */
class LambdaFunction {
  readonly reports: SliceReport[] = []
  readonly #lake = url()
  #handler = this.#coldStart()

  #coldStart() {
    const client = faulty.s3.client({ endpoint: faulty.proxy.endpoint })
    const lake = new ObjectStoreLake(new S3Store(this.#lake, { client }))
    const slice = (report: SliceReport): void => void this.reports.push(report)
    return lambdaHandler(sensors, { lake, telemetry: { begin() {}, slice, failure() {}, end() {} }, concurrency: 4 })
  }

  async invoke(event: unknown): Promise<void> {
    await this.#handler(event, { functionName: 'sensors', getRemainingTimeInMillis: () => 60_000 } as Context)
  }

  /** Delivers an event until it is taken, as the trigger does; a function that failed may be started anew. */
  async deliver(event: unknown, random: Random): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.invoke(event)
        return
      } catch (error) {
        if (attempt === 50) throw error
        if (random.chance(0.5)) this.#handler = this.#coldStart()
      }
    }
  }
}

const isConditionalPut = ({ headers }: IncomingMessage): boolean => headers['if-none-match'] === '*'

const met = new Set<Fault>()

test.each([1, 2, 3])(
  'eight writers of the same records in other batches, through every fault: each record once (seed %i)',
  async (seed) => {
    const random = new Random(seed)
    const passing = seededFaults(random, 0.1)
    // Outages, too: everything is done and nothing answered, for longer than clients try again.
    const outage: Fault[] = ['closeAfter', 'internalErrorAfter']
    faulty.proxy.plan = (request) => (faulty.proxy.requests % 300 < 260 ? passing(request) : random.pick(outage))
    const partitions = [sensorRecords(160, random, 0), sensorRecords(90, random, 1)]

    const functions = Array.from({ length: 8 }, () => new LambdaFunction())
    const deliveries = functions.map(async (lambda, i) => {
      const batches = partitions.flatMap(({ values }, partition) => {
        const pieces = random.pieces([...values.entries()], 35)
        return pieces.map((some) =>
          sensorEvent(
            some.map(([, value]) => value),
            partition,
            some[0]?.[0],
          ),
        )
      })
      // The halves of a batch that was split come in any order: what comes before its time leaves a gap.
      for (const event of i < 4 ? batches : random.shuffled(batches)) await lambda.deliver(event, random)
    })
    await Promise.all(deliveries)

    const verification = await verifyLake(direct(), { deep: true })
    expect(verification).toMatchObject({ logs: 2, gaps: 0, faults: [], counts: { records: 250 } })
    expect(await originsIn(direct(), 'sensors')).toEqual(partitions.flatMap(({ rows }) => rows).sort())
    const deadLetters = partitions.flatMap((records) => records.deadLetters).sort()
    expect(await originsIn(direct(), 'sensors_dead_letters')).toEqual(deadLetters)

    // What it is to withstand has really happened: gaps, and slices that failed, of nothing else.
    expect(verification.amendments).toBeGreaterThan(0)
    const errors = functions.flatMap(({ reports }) => reports.map(({ error }) => error?.code))
    expect(new Set(errors)).toEqual(new Set([undefined, 'STORE_UNAVAILABLE']))
    for (const fault of faulty.proxy.faults.keys()) met.add(fault)
  },
  120_000,
)

test('in them, every fault has happened', () => {
  const passing: Fault[] = ['slowDown', 'internalError', 'internalErrorAfter', 'conflict', 'closeBefore', 'closeAfter']
  expect([...met].sort()).toEqual([...passing, 'late', 'breakOff', 'corrupt'].sort())
})

describe.each(['closeAfter', 'internalErrorAfter'] as const)(
  'a put if absent that worked, but the answer is lost (%s)',
  (fault) => {
    const once = (request: IncomingMessage): Fault | undefined =>
      isConditionalPut(request) && !faulty.proxy.faults.has(fault) ? fault : undefined

    test('of a commit: the writer knows it for its own, and writes nothing again', async () => {
      const lambda = new LambdaFunction()
      faulty.proxy.plan = once
      await lambda.invoke(sensorEvent([reading(1), reading(2), '{']))
      expect(faulty.proxy.faults.get(fault)).toBe(1)
      expect(lambda.reports).toMatchObject([{ records: 3, known: 0, written: 2, rejected: 1, files: 2, error: null }])
      expect(await verifyLake(direct(), { deep: true })).toMatchObject({
        commits: 1,
        files: 2,
        faults: [],
        orphans: [],
      })
    })

    test('of an amendment, too', async () => {
      const lambda = new LambdaFunction()
      await lambda.invoke(sensorEvent([reading(1)], 0, 5))
      // The commit reaches from 0 to 5, and offsets 2 and 3 are in its gap.
      faulty.proxy.plan = once
      await lambda.invoke(sensorEvent([reading(2), reading(3)], 0, 2))
      expect(faulty.proxy.faults.get(fault)).toBe(1)
      expect(lambda.reports[1]).toMatchObject({ records: 2, known: 0, written: 2, files: 1, error: null })
      const whole = { commits: 1, amendments: 1, files: 2, faults: [], orphans: [] }
      expect(await verifyLake(direct(), { deep: true })).toMatchObject(whole)
    })
  },
)

test('a writer that is overtaken finds its key taken, and lands only what is left', async () => {
  const [slow, fast] = [new LambdaFunction(), new LambdaFunction()]
  const values = [1, 2, 3, 4, 5].map((value) => reading(value))
  let isHeld = false
  faulty.proxy.plan = async (request) => {
    if (!isConditionalPut(request) || isHeld) return undefined
    isHeld = true
    // The slow one's commit arrives when the fast one's is there.
    await fast.invoke(sensorEvent(values.slice(0, 3)))
    return undefined
  }
  await slow.invoke(sensorEvent(values))
  expect(fast.reports).toMatchObject([{ records: 3, known: 0, written: 3, error: null }])
  expect(slow.reports).toMatchObject([{ records: 5, known: 3, written: 2, error: null }])
  const verification = await verifyLake(direct(), { deep: true })
  expect(verification).toMatchObject({ commits: 2, files: 2, gaps: 0, faults: [], counts: { records: 5 } })
  // What the slow one had written for the commit that it lost: no commit names it, no reader of the log sees it.
  expect(verification.orphans).toHaveLength(1)
})
