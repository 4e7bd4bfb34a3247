import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const PIPELINE = 'test/fixtures/one-partition-each.ts'
const directory = temporaryDirectory()

/** Runs the pipeline over a file in a process of its own. @returns its summary and the most memory it had, in MB */
function run(events: string, nodeOptions: readonly string[], ...options: readonly string[]): Run {
  const tellMemory = 'process.on("exit", () => process.stderr.write(`\\n${process.resourceUsage().maxRSS}`))'
  const preload = ['--import', `data:text/javascript,${encodeURIComponent(tellMemory)}`]
  const call = ['shared/cli/inlet.ts', 'run', PIPELINE, '--events', events, '--lake', lake(), '--json', ...options]
  const env = { ...process.env, NODE_OPTIONS: '' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [...preload, ...nodeOptions, ...call], {
    cwd: projectRoot,
    env,
    encoding: 'utf8',
  })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  return { summary: JSON.parse(stdout) as unknown, megabytes: Number(stderr.split('\n').at(-1)) / 1024 }
}

interface Run {
  readonly summary: unknown
  readonly megabytes: number
}

const lake = (): string => path.join(directory(), 'lake')

/** Of JavaScript, in MB: the libraries alone take 40. */
const HEAP = 128

test(`3000 table partitions in one batch land within a heap of ${HEAP} MB`, async () => {
  const file = path.join(directory(), 'values.ndjson')
  const text = 'x'.repeat(1000)
  await writeFile(file, Array.from({ length: 3000 }, (_, id) => JSON.stringify({ id, text })).join('\n'))
  const { summary } = run(file, [`--max-old-space-size=${HEAP}`], '--partitions', '1', '--batch', '3000')
  expect(summary).toMatchObject({ records: 3000, written: 3000, files: 3000 })
  expect(await inlet(['verify', '--lake', lake()])).toMatchObject({ code: 0 })
})

/** As the functions are deployed: see serverless.yml. */
const DEPLOYED = '--max-semi-space-size=8'
/** What Lambda sends at the most. */
const PAYLOAD = 6 * 1024 * 1024
/** Of the whole process, in MB. */
const MEMORY = 256

test(`a batch of 6 MB over 1000 table partitions lands within ${MEMORY} MB`, async () => {
  const file = path.join(directory(), 'event.json')
  const event = largestEvent(1000)
  await writeFile(file, event.text)
  expect(await readFile(path.join(projectRoot, 'serverless.yml'), 'utf8')).toContain(`NODE_OPTIONS: ${DEPLOYED}\n`)
  const { summary, megabytes } = run(file, [DEPLOYED])
  expect(summary).toMatchObject({ records: event.records, written: event.records, files: 1000 })
  expect(megabytes).toBeGreaterThan(100)
  expect(megabytes).toBeLessThan(MEMORY)
})

/** An MSK event of records of some 400 bytes that can hardly be compressed, as large as Lambda's limit allows. */
function largestEvent(partitions: number): { readonly text: string; readonly records: number } {
  const random = new Random(6)
  const records: unknown[] = []
  const topic = 'one-partition-each'
  const eventOf = (list: readonly unknown[]): unknown => ({
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
    bootstrapServers: 'boot-1.demo.kafka.us-east-1.amazonaws.com:9098',
    records: { [`${topic}-0`]: list },
  })
  let bytes = JSON.stringify(eventOf([])).length
  for (let offset = 0; ; offset++) {
    const text = Array.from({ length: 40 }, () => random.next().toString(36).slice(2, 12)).join('')
    const value = Buffer.from(JSON.stringify({ id: offset % partitions, text })).toString('base64')
    const timestamp = 1_700_000_000_000 + offset
    const record = { topic, partition: 0, offset, timestamp, timestampType: 'CREATE_TIME', value, headers: [] }
    bytes += JSON.stringify(record).length + 1
    if (bytes > PAYLOAD) return { text: JSON.stringify(eventOf(records)), records: records.length }
    records.push(record)
  }
}
