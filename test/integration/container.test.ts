import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '#shared/lake/open-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { inlet } from '#test/helpers/command.ts'
import { RunningCommand } from '#test/helpers/consumer-process.ts'
import { consumeFlights, flightSums, lakeSums, produceFlights } from '#test/helpers/flights-topic.ts'
import { inletProcesses } from '#test/helpers/inlet-process.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'

/** A million take half a minute on two cores of their own. */
const RECORDS = Number(process.env['INLET_TEST_RECORDS'] ?? 1_000_000)
const KILLS = Number(process.env['INLET_TEST_KILLS'] ?? 50)
const PARTITIONS = 8
const MINUTES = 60_000

const start = inletProcesses()
const directory = temporaryDirectory()
const broker = temporaryKafka()
beforeEach(() => broker().createTopic('flights', PARTITIONS))
afterEach(() => broker().deleteTopic('flights'))

const lake = (): string => path.join(directory(), 'lake')

function consumeArgv(...more: readonly string[]): string[] {
  const scratch = path.join(directory(), 'scratch')
  return ['consume', 'flights', '--kafka', broker().brokers, '--lake', lake(), '--scratch', scratch, ...more]
}

function consumer(...more: readonly string[]): RunningCommand {
  return new RunningCommand(start(consumeArgv(...more), {}))
}

/** What has landed is all that there is, each once, and the proof of it holds. */
async function expectLanded(records: number): Promise<void> {
  const store = openStore(lake())
  expect(await lakeSums(store)).toEqual(await flightSums(records))
  expect(await verifyLake(store, { deep: false })).toMatchObject({ faults: [] })
}

test(
  `${RECORDS} flights of ${PARTITIONS} partitions land once`,
  async () => {
    await produceFlights(broker().brokers, 'flights', RECORDS, PARTITIONS)
    const landed = await consumeFlights(broker().brokers, lake())
    expect(landed.code).toBe(0)
    expect(JSON.parse(landed.stdout)).toMatchObject({ records: RECORDS, rows: RECORDS, deadLetters: 0 })
    await expectLanded(RECORDS)
    expect(await inlet(['verify', '--lake', lake()])).toMatchObject({ code: 0 })
  },
  15 * MINUTES,
)

test(
  `a consumer is killed ${KILLS} times at random moments and started again: nothing is lost, nothing is there twice`,
  async () => {
    const random = new Random(20_261_123)
    const records = 2000 * KILLS
    const options = ['--max-age', '1', '--instance', 'only', '--memory', '4']
    const producing = (async () => {
      for (let sent = 0; sent < records; sent += 2000) {
        await produceFlights(broker().brokers, 'flights', 2000, PARTITIONS, sent)
        await sleep(500)
      }
    })()
    let killed = 0
    for (; killed < KILLS; killed++) {
      const running = consumer(...options)
      // Before it reads, in its midst, and while it lands.
      await running.says(/partitions assigned/)
      await sleep(random.between(0, 2500))
      await running.end('SIGKILL')
    }
    await producing
    const last = consumer(...options, '--until-end')
    expect([await last.end(), last.said]).toEqual([0, expect.stringContaining('consuming')])
    await expectLanded(records)
  },
  20 * MINUTES,
)

test(
  'one consumer, then four, then two, while records come: one is stopped, one is killed',
  async () => {
    const records = 120_000
    const options = ['--max-age', '2', '--session', '6']
    const producing = produceSlowly(records, 2000)
    const first = consumer(...options)
    await first.says(/slice landed/)
    const others = [1, 2, 3].map(() => consumer(...options))
    for (const other of others) await other.says(/slice landed/)
    const [stopped, killed, stays] = others as [RunningCommand, RunningCommand, RunningCommand]
    expect(await stopped.end('SIGTERM')).toBe(0)
    await killed.end('SIGKILL')
    await producing
    await first.lands(openStore(lake()), records, 5 * MINUTES)
    expect([await first.end('SIGTERM'), await stays.end('SIGTERM')]).toEqual([0, 0])
    await expectLanded(records)
  },
  10 * MINUTES,
)

test(
  'a consumer that is stopped lands what is open, leaves the group, and tells the group how far it is',
  async () => {
    await produceFlights(broker().brokers, 'flights', 16_000, PARTITIONS)
    const running = consumer('--max-age', '3600', '--session', '45')
    const [, url] = await running.says(/"state":"(http:[^"]+)"/)
    await untilSaid(`${url}/metrics`, /inlet_buffered_bytes\{[^}]*\} [1-9]/)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(await running.end('SIGTERM')).toBe(0)
    const { rows = 0 } = await lakeSums(openStore(lake()))
    expect(rows).toBeGreaterThan(0)
    expect(await broker().committed('inlet-flights')).toBe(rows)
    // The next one goes on at once: it need not wait until the group has found out that the one before is silent.
    const next = consumer('--until-end', '--json', '--session', '45')
    await next.says(/partitions assigned[^\n]*\[0,1,2,3,4,5,6,7\]/, 40_000)
    expect(await next.end()).toBe(0)
    expect(next.said).toContain(`"records":${16_000 - rows},`)
    await expectLanded(16_000)
  },
  5 * MINUTES,
)

test(
  'a topic that is created anew under a running consumer ends it, with the command to run; then its records land in the next epoch',
  async () => {
    await produceFlights(broker().brokers, 'flights', 16_000, PARTITIONS)
    const running = consumer('--max-age', '1')
    await running.lands(openStore(lake()), 16_000, 3 * MINUTES)
    await broker().admin.deleteTopics({ topics: ['flights'] })
    await sleep(1000)
    await broker().createTopic('flights', PARTITIONS)
    await produceFlights(broker().brokers, 'flights', 20_000, PARTITIONS)
    expect(await running.end()).toBe(1)
    const [, command = ''] = /created anew.*"inlet (epoch flights --end 0[^"]+)"/s.exec(running.said) ?? []
    // Started again before the epoch has changed, it finds out by what has landed.
    const again = consumer()
    expect(await again.end()).toBe(1)
    expect(again.said).toMatch(/is not the record that the lake knows at this offset.*"inlet epoch flights --end 0/s)
    expect(await inlet(command.split(' '))).toMatchObject({ code: 0 })
    expect(await consumer('--until-end').end()).toBe(0)
    const { rows, positions } = await lakeSums(openStore(lake()))
    expect([rows, positions]).toEqual([36_000, 36_000])
    expect(await verifyLake(openStore(lake()), { deep: true })).toMatchObject({ faults: [] })
  },
  5 * MINUTES,
)

/** Produces flights, so many at a time, with pauses between. */
async function produceSlowly(records: number, step: number, pauseMs = 300): Promise<void> {
  for (let sent = 0; sent < records; sent += step) {
    await produceFlights(broker().brokers, 'flights', step, PARTITIONS, sent)
    await sleep(pauseMs)
  }
}

async function untilSaid(url: string, pattern: RegExp): Promise<void> {
  while (!pattern.test(await (await fetch(url)).text())) await sleep(100)
}
