import { readFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { RunningCommand } from '#test/helpers/consumer-process.ts'
import type { Fault } from '#test/helpers/fault-proxy.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'
import { flightSums, flightValues, lakeSums, produceFlights } from '#test/helpers/flights-topic.ts'
import { inletProcesses } from '#test/helpers/inlet-process.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'

const PARTITIONS = 4
const MINUTES = 60_000
/** What a consumer may take in a container of 512 MB, whose processes are told as much. */
const MEMORY_BYTES = 512e6
const NODE_OPTIONS = ['--max-old-space-size=256']

const start = inletProcesses()
const directory = temporaryDirectory()
const faulty = faultyS3()

function consumer(brokers: string, lake: string, environment = {}, more: readonly string[] = []): RunningCommand {
  const scratch = path.join(directory(), 'scratch')
  const argv = ['consume', 'flights', '--kafka', brokers, '--lake', lake, '--scratch', scratch, ...more]
  return new RunningCommand(start(argv, environment, NODE_OPTIONS))
}

const stateOf = async (running: RunningCommand): Promise<string> => {
  const [, url = ''] = await running.says(/"state":"(http:[^"]+)"/)
  return url
}

/** The most memory that a process has taken so far; 0 when it has ended. Linux only. */
async function peakOf({ child }: RunningCommand): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
}

describe('with three brokers', () => {
  const broker = temporaryKafka({ brokers: 3 })
  afterEach(() => broker().deleteTopic('flights'))

  /**
   * A consumer of 20,000 flights that has begun to land them. Broker 1 leads two partitions of their topic; when it is gone, one of
   * them moves to broker 2 and the other to 3.
   */
  async function consuming(): Promise<{ running: RunningCommand; store: ObjectStore }> {
    const replicas = [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
      [1, 3, 2],
    ]
    await broker().createTopic('flights', replicas, { 'min.insync.replicas': '2' })
    const lake = path.join(directory(), 'lake')
    const running = consumer(broker().brokers, lake, {}, ['--max-age', '2'])
    await produceFlights(broker().brokers, 'flights', 20_000, PARTITIONS)
    await running.says(/slice landed/)
    return { running, store: openStore(lake) }
  }

  async function expectLanded(store: ObjectStore, records: number): Promise<void> {
    expect(await lakeSums(store)).toEqual(await flightSums(records))
    expect(await verifyLake(store, { deep: true })).toMatchObject({ faults: [] })
  }

  test(
    'one that leads hangs: the consumer reads on what others lead by then, and all of it lands once',
    async () => {
      const { running, store } = await consuming()
      await broker().hang(1)
      try {
        const [, ...others] = broker().brokers.split(',')
        await produceFlights(others.join(','), 'flights', 20_000, PARTITIONS, 20_000)
        await running.lands(store, 40_000)
      } finally {
        await broker().goOn(1)
      }
      expect(await running.end('SIGTERM')).toBe(0)
      await expectLanded(store, 40_000)
    },
    5 * MINUTES,
  )

  test(
    'one that leads is killed, and comes again: the consumer reads on, and all of it lands once',
    async () => {
      const { running, store } = await consuming()
      await broker().kill(1)
      await broker().leader('flights', 0, 1)
      await produceFlights(broker().brokers, 'flights', 20_000, PARTITIONS, 20_000)
      await running.lands(store, 40_000)
      await broker().restart(1)
      await produceFlights(broker().brokers, 'flights', 8000, PARTITIONS, 40_000)
      await running.lands(store, 48_000)
      expect(await running.end('SIGTERM')).toBe(0)
      await expectLanded(store, 48_000)
    },
    5 * MINUTES,
  )
})

describe('with one broker', () => {
  const broker = temporaryKafka()
  afterEach(() => broker().deleteTopic('flights'))

  const environment = (): Record<string, string> => ({
    ...faulty.s3.environment(faulty.proxy.endpoint),
    KAFKA_GROUP: 'group',
  })
  const lakeBehind = (): S3Store => new S3Store(faulty.url, { client: faulty.s3.client() })

  /** Offsets that the group has been told are never ahead of what has landed. */
  async function groupIsBehind(): Promise<void> {
    const told = await broker().committed('group')
    const { counts } = await verifyLake(lakeBehind(), { deep: false })
    expect(told).toBeLessThanOrEqual(counts.records)
  }

  test(
    'S3 is slow, refuses, hangs up and goes away: memory stays within its budget, no offset runs ahead, and all lands once',
    async () => {
      const records = Number(process.env['INLET_TEST_RECORDS'] ?? 200_000)
      await broker().createTopic('flights', PARTITIONS)
      await produceFlights(broker().brokers, 'flights', records, PARTITIONS)
      const random = new Random(20_261_123)
      faulty.proxy.plan = ({ method }) =>
        method === 'PUT'
          ? random.event<Fault>([
              ['late', 0.1],
              ['slowDown', 0.1],
              ['internalErrorAfter', 0.05],
              ['closeBefore', 0.05],
              ['closeAfter', 0.05],
            ])
          : undefined
      const running = consumer(broker().brokers, faulty.url, environment(), ['--max-age', '5', '--rows', '20000'])
      const url = await stateOf(running)
      await running.says(/slice landed/, 5 * MINUTES)
      await groupIsBehind()
      faulty.proxy.plan = () => 'closeBefore'
      while ((await fetch(`${url}/readyz`)).status === 200) await sleep(100)
      expect((await fetch(`${url}/healthz`)).status).toBe(200)
      await groupIsBehind()
      faulty.proxy.plan = () => undefined
      while ((await fetch(`${url}/readyz`)).status !== 200) await sleep(100)
      const store = lakeBehind()
      const isLanded = async (): Promise<boolean> => {
        await groupIsBehind()
        return (await verifyLake(store, { deep: false })).counts.records >= records
      }
      await running.does(`landed ${records} records`, isLanded, 10 * MINUTES)
      expect(await peakOf(running)).toBeLessThan(MEMORY_BYTES)
      expect(await running.end('SIGTERM')).toBe(0)
      expect(await verifyLake(store, { deep: true })).toMatchObject({ faults: [], counts: { records, rows: records } })
    },
    15 * MINUTES,
  )

  test(
    'records of 9 MB land, which no trigger can bring',
    async () => {
      await broker().createTopic('flights', 1, { 'max.message.bytes': '10485760' })
      const [value = Buffer.alloc(0)] = await flightValues()
      // A field that the contract does not name, and lets go.
      const large = Buffer.from(value.toString().replace(/\}$/, `,"padding":"${'x'.repeat(9_000_000)}"}`))
      const producer = new Producer({ clientId: 'large', bootstrapBrokers: [broker().brokers], retries: 10 })
      for (let i = 0; i < 8; i++)
        await producer.send({ messages: [{ topic: 'flights', value: large }], acks: ProduceAcks.ALL })
      await producer.close()
      const lake = path.join(directory(), 'lake')
      let peak = 0
      const rest = consumer(broker().brokers, lake, {}, ['--until-end'])
      await rest.says(/partitions assigned/)
      while (rest.child.exitCode === null) {
        await sleep(20)
        if (rest.child.exitCode === null) peak = Math.max(peak, await peakOf(rest).catch(() => 0))
      }
      expect(await rest.end()).toBe(0)
      expect(peak).toBeGreaterThan(0)
      expect(peak).toBeLessThan(MEMORY_BYTES)
      expect((await lakeSums(openStore(lake)))['rows']).toBe(8)
    },
    3 * MINUTES,
  )

  test(
    'a consumer that is told to stop while its broker hangs ends in time all the same',
    async () => {
      await broker().createTopic('flights', PARTITIONS)
      await produceFlights(broker().brokers, 'flights', 20_000, PARTITIONS)
      const lake = path.join(directory(), 'lake')
      const running = consumer(broker().brokers, lake, {}, ['--max-age', '2', '--drain', '2', '--session', '6'])
      await running.says(/slice landed/)
      await broker().hang(1)
      try {
        const told = performance.now()
        // 1 when it had to leave something undone, of which it does nothing but say so.
        expect([0, 1]).toContain(await running.end('SIGTERM'))
        expect(performance.now() - told).toBeLessThan(20_000)
      } finally {
        await broker().goOn(1)
      }
      const again = consumer(broker().brokers, lake, {}, ['--until-end'])
      expect(await again.end()).toBe(0)
      expect(await lakeSums(openStore(lake))).toEqual(await flightSums(20_000))
    },
    3 * MINUTES,
  )

  test(
    'partitions that are added while a consumer runs are read too',
    async () => {
      await broker().createTopic('flights', 2)
      await produceFlights(broker().brokers, 'flights', 4000, 2)
      const lake = path.join(directory(), 'lake')
      const running = consumer(broker().brokers, lake, {}, ['--max-age', '1'])
      await running.says(/slice landed/)
      await broker().admin.createPartitions({ topics: [{ name: 'flights', count: 4, assignments: null }] })
      await produceFlights(broker().brokers, 'flights', 4000, 4, 4000)
      await running.says(/"partitions":\[0,1,2,3\]/)
      await running.lands(openStore(lake), 8000)
      expect(await running.end('SIGTERM')).toBe(0)
      expect(await lakeSums(openStore(lake))).toEqual(await flightSums(8000))
    },
    3 * MINUTES,
  )
})
