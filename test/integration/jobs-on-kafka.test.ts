import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { inlet } from '#test/helpers/command.ts'
import { reading } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'

const PIPELINE = 'test/fixtures/sensor-jobs.ts'
const directory = temporaryDirectory()
const kafka = temporaryKafka()

test('a partition of which the topic has more is not taken for a silent one', async () => {
  const lake = path.join(directory(), 'lake')
  const produce = async (...values: readonly string[]) => {
    const file = path.join(directory(), 'values.ndjson')
    await writeFile(file, values.map((value) => `${value}\n`).join(''))
    return done(['produce', 'sensors', '--from', file, '--kafka', kafka().brokers])
  }
  const why = (...args: readonly string[]) =>
    done(['jobs', 'why', 'sensors', '2026-01-05', '--pipeline', PIPELINE, '--lake', lake, ...args])
  const ofTopic = ['--kafka', kafka().brokers]
  await done(['topics', 'apply', PIPELINE, ...ofTopic])
  await produce(reading(1), reading(2))
  await done(['run', PIPELINE, ...ofTopic, '--lake', lake, '--until-end'])
  const silent = /sensors-0 is at 2026-01-05T10:00:00\.000Z, and .* is needed \(silent, it holds nothing back from /
  expect(await why(...ofTopic)).toMatch(silent)
  await produce(reading(3))
  expect(await why(...ofTopic)).toMatch(/sensors-0 is at .* is needed \(the topic has more of it\)/)
  expect(await why()).toMatch(silent)
  const runs = JSON.parse(await done(['jobs', 'run', PIPELINE, ...ofTopic, '--lake', lake, '--json'])) as unknown
  expect(runs).toEqual([])
  expect(await done(['jobs', 'ls', PIPELINE, '--lake', lake])).toContain('There were no runs yet')
}, 180_000)

async function done(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await inlet(args)
  expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
  return stdout
}
