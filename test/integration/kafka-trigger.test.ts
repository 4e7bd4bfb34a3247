import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '#shared/lake/open-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { RunningCommand } from '#test/helpers/consumer-process.ts'
import { consumeFlights, flightSums, flightValues, lakeSums, produceFlights } from '#test/helpers/flights-topic.ts'
import { inletProcesses } from '#test/helpers/inlet-process.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'

/** A million take half a minute on two cores of their own. */
const RECORDS = Number(process.env['INLET_TEST_RECORDS'] ?? 1_000_000)
const PARTITIONS = 8
const MINUTES = 60_000
const UNITED = path.join(projectRoot, 'test/fixtures/united-flights.ts')

const start = inletProcesses()
const directory = temporaryDirectory()
const broker = temporaryKafka()
beforeEach(() => broker().createTopic('flights', PARTITIONS))
afterEach(() => broker().deleteTopic('flights'))

const lake = (): string => path.join(directory(), 'lake')
const run = (pipeline: string, ...more: readonly string[]) =>
  inlet(['run', pipeline, '--kafka', broker().brokers, '--lake', lake(), ...more])

test(
  `${RECORDS} flights of ${PARTITIONS} partitions land once through the trigger; a container goes on where it has ended`,
  async () => {
    await produceFlights(broker().brokers, 'flights', RECORDS, PARTITIONS)
    const landed = await run('flights', '--json')
    expect(landed.code).toBe(0)
    expect(JSON.parse(landed.stdout)).toMatchObject({ records: RECORDS, rows: RECORDS, known: 0, deadLetters: 0 })
    expect(await broker().committed('inlet-trigger-flights')).toBe(RECORDS)
    expect(await lakeSums(openStore(lake()))).toEqual(await flightSums(RECORDS))
    expect(await inlet(['verify', '--lake', lake()])).toMatchObject({ code: 0 })
    // The cluster is the same to both, and so is the log.
    await produceFlights(broker().brokers, 'flights', 4000, PARTITIONS, RECORDS)
    const more = await consumeFlights(broker().brokers, lake())
    expect(JSON.parse(more.stdout)).toMatchObject({ records: 4000 })
    // A new group is delivered all of it again, and the lake knows it.
    const again = await run('flights', '--group', 'another', '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ records: RECORDS + 4000, known: RECORDS + 4000, rows: 0 })
  },
  15 * MINUTES,
)

test(
  'filters, a batch size and several pollers, as declared',
  async () => {
    const records = 8000
    await produceFlights(broker().brokers, 'flights', records, PARTITIONS)
    const values = (await flightValues()).slice(0, records)
    const of = (carrier: string): number =>
      values.filter((value) => (JSON.parse(value.toString()) as { carrier: string }).carrier === carrier).length
    const summary = JSON.parse((await run(UNITED, '--json')).stdout)
    expect(summary).toMatchObject({
      records: of('UA') + of('AA'),
      rows: of('UA'),
      skipped: of('AA'),
      filtered: records - of('UA') - of('AA'),
    })
    expect(await broker().committed('inlet-trigger-united-flights')).toBe(records)
    expect(await verifyLake(openStore(lake()), { deep: true })).toMatchObject({ faults: [] })
  },
  3 * MINUTES,
)

test(
  'a group that is new begins where it is told',
  async () => {
    await produceFlights(broker().brokers, 'flights', 4000, PARTITIONS)
    await sleep(100)
    const time = new Date().toISOString()
    await produceFlights(broker().brokers, 'flights', 2000, PARTITIONS, 4000)
    const landed = async (position: string): Promise<unknown> => {
      const summary = await run('flights', '--json', '--group', position, '--starting-position', position)
      return (JSON.parse(summary.stdout) as { records: number }).records
    }
    expect(await landed('LATEST')).toBe(0)
    expect(await landed(`AT_TIMESTAMP:${time}`)).toBe(2000)
    expect(await landed('TRIM_HORIZON')).toBe(6000)
    expect(await run('flights', '--starting-position', 'SOMEWHERE')).toMatchObject({ code: 2 })
  },
  3 * MINUTES,
)

test(
  'a run that follows is stopped and started again: what is under way settles, and nothing is delivered twice',
  async () => {
    const argv = ['run', 'flights', '--kafka', broker().brokers, '--lake', lake(), '--follow', '--json']
    let delivered = 0
    for (let round = 0; round < 3; round++) {
      const running = new RunningCommand(start(argv, {}))
      await running.says(/partitions 0, 1, 2/)
      await produceFlights(broker().brokers, 'flights', 6000, PARTITIONS, round * 6000)
      if (round === 2) while ((await broker().committed('inlet-trigger-flights')) < 18_000) await sleep(100)
      else await running.says(/\d records: /)
      expect(await running.end(round === 0 ? 'SIGINT' : 'SIGTERM')).toBe(0)
      const summary = JSON.parse(running.said.match(/^\{"pipeline.*$/m)?.[0] ?? '{}') as {
        records: number
        known: number
      }
      expect(summary.known).toBe(0)
      delivered += summary.records
    }
    expect(delivered).toBe(18_000)
    expect(await lakeSums(openStore(lake()))).toEqual(await flightSums(18_000))
  },
  5 * MINUTES,
)

test(
  'batches that are given up are kept where failures go, before the group is told that they are done',
  async () => {
    await produceFlights(broker().brokers, 'flights', 2000, PARTITIONS)
    await run(UNITED, '--json', '--group', 'first')
    await produceFlights(broker().brokers, 'flights', 2000, PARTITIONS, 2000)
    const failures = path.join(directory(), 'failures')
    // A file where a folder is needed: nothing can be written.
    const table = path.join(lake(), 'tables/united')
    await rename(table, `${table}-aside`)
    await writeFile(table, '')
    const summary = await run(UNITED, '--json', '--group', 'first', '--failures', failures)
    await rm(table)
    await rename(`${table}-aside`, table)
    expect(summary.stderr).toContain('were given up')
    expect(await broker().committed('first')).toBe(4000)
    const names = await readdir(failures, { recursive: true })
    const kept = await Promise.all(
      names
        .filter((name) => name.startsWith('aws/lambda/') && /T[\d.]{8}-[0-9a-f-]{36}$/.test(name))
        .map((name) => readFile(path.join(failures, name), 'utf8')),
    )
    const batches = kept.map((text) => (JSON.parse(text) as { KafkaBatchInfo: { batchSize: number } }).KafkaBatchInfo)
    const values = (await flightValues()).slice(2000, 4000).map((value) => value.toString())
    const wanted = values.filter((value) => /"carrier":"(UA|AA)"/.test(value)).length
    expect(batches.reduce((sum, { batchSize }) => sum + batchSize, 0)).toBe(wanted)
    expect(await verifyLake(openStore(lake()), { deep: true })).toMatchObject({ faults: [] })
  },
  3 * MINUTES,
)
