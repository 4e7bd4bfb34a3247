import { execFile } from 'node:child_process'
import { readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { days, PIPELINE, sensorsLake } from '#test/helpers/sensors-lake.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

const { directory, lake, run, values, filesBelow } = sensorsLake()

describe('what explains the lake', () => {
  test('each command answers for people and as JSON', async () => {
    const event = path.join(directory(), 'event.json')
    await writeFile(event, JSON.stringify(sensorEvent([reading(1), reading(0), '{\u001b[31m'])))
    expect(await run(event)).toMatchObject({ code: 0 })
    const orphan = path.join(lake(), 'tables/sensors/data/at_day=2026-01-05')
    const [file = ''] = await readdir(orphan)
    await writeFile(path.join(orphan, file.replace(/-.{36}-0/, '-00000000-0000-4000-8000-000000000000-0')), 'left')

    const calls: [args: string[], page: RegExp, json: unknown][] = [
      [['whereis', 'sensors', '0', '1'], /^sensors-0@1\n[^]*\nstatus +skipped/, [{ status: 'skipped' }]],
      [['dead-letters', 'ls'], /^sensors_dead_letters: 1 open, 0 resolved\n/, [{ code: 'JSON_INVALID', open: 1 }]],
      [
        ['dead-letters', 'show', '--code', 'JSON_INVALID'],
        /\n {2}value +\{\\x1b\[31m$/m,
        [{ offset: 2, value: { text: '{\u001b[31m' } }],
      ],
      [
        ['dead-letters', 'show', '--field', 'nope'],
        /^No such dead letters are open; --all shows resolved ones, too/,
        [],
      ],
      [['dead-letters', 'show', '--field', 'nope', '--all'], /^There are no such dead letters\.\n$/, []],
      [
        ['dead-letters', 'redrive', PIPELINE, '--where', "code = 'JSON_INVALID'", '--dry-run'],
        /\nwould be rejected with {2}records\n.*\nJSON_INVALID/,
        { dryRun: true, found: 1, rejected: 1, codes: { JSON_INVALID: 1 } },
      ],
      [['vacuum', '--dry-run'], /^Would delete 1 of 3 data files, 4 B;/, { dryRun: true, files: 3, deleted: [{}] }],
    ]
    for (const [args, page, json] of calls) {
      const asked = [...args, '--lake', lake()]
      const [asJson, forPeople] = [await inlet([...asked, '--json']), await inlet(asked)]
      expect([asJson.code, forPeople.code]).toEqual([0, 0])
      expect(JSON.parse(asJson.stdout)).toMatchObject(json as object)
      expect(forPeople.stdout).toMatch(page)
    }
    const vacuum = ['vacuum', '--table', 'sensors', '--lake', lake()]
    expect(await inlet(vacuum)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Deleted 1 of 2 data files, 4 B:/),
    })
    expect(JSON.parse((await inlet([...vacuum, '--json'])).stdout)).toMatchObject({ files: 1, deleted: [] })
    expect(JSON.parse((await inlet(['inspect', event, '--json'])).stdout)).toMatchObject([
      { topic: 'sensors', partitions: [{ records: 3, offsets: [0, 2] }] },
    ])
    const piped = await inlet(['inspect', '-', '--records', '--json'], JSON.stringify(sensorEvent(['1'])))
    expect(JSON.parse(piped.stdout)).toMatchObject([{ file: '-', records: [{ offset: 0, key: null, value: 'MQ==' }] }])
    const described = await inlet(['describe', PIPELINE, '--lake-url', 's3://lake', '--json'])
    expect(JSON.parse(described.stdout)).toMatchObject({ name: 'sensors', event: { type: 'object' } })
    expect((await inlet(['describe', PIPELINE])).stdout).toContain('s3://BUCKET/PREFIX/tables/sensors/data/')
  }, 60_000)

  test.each([
    [['whereis', 'sensors', '0', '0', '--lake', '%'], 1, /there is no commit log here; is it the lake you meant\?/],
    [['dead-letters', 'ls', '--lake', '%'], 1, /there is no commit log here/],
    [['dead-letters', 'show', '--lake', '%'], 1, /there is no commit log here/],
    [['vacuum', '--lake', '%'], 1, /there is no commit log here/],
    [['query', 'SELECT 1', '--lake', '%'], 1, /there is no commit log here/],
    [['whereis', 'sensors', '-1', '0', '--lake', '%'], 2, /value '-1' is invalid for argument 'partition'/],
    [['whereis', 'sensors', '0', '1.5', '--lake', '%'], 2, /Expected a whole number from 0/],
    [['whereis', 'sensors', '0', '--lake', '%'], 2, /missing required argument 'offset'/],
    [['dead-letters', 'show', '--limit', '0', '--lake', '%'], 2, /Expected a whole number from 1/],
    [['dead-letters', 'show'], 2, /required option '--lake/],
    [['dead-letters', 'redrive', PIPELINE, '--lake', '%'], 1, /there is no commit log here/],
    [['dead-letters', 'redrive', '--lake', '%'], 2, /missing required argument 'pipeline'/],
    [['dead-letters', 'redrive', 'nope', '--lake', '%'], 2, /unknown pipeline "nope"/],
    [['dead-letters', 'redrive', PIPELINE, '--offset', '-1', '--lake', '%'], 2, /Expected a whole number from 0/],
    [['dead-letters', 'redrive', PIPELINE, '--epoch', '1', '--lake', '%'], 2, /it needs --failure-destination/],
    [['dead-letters', 'list'], 2, /unknown command 'list'/],
    [['inspect', '%event.json'], 1, /event\.json: there is no such file/],
    [['inspect', 'package.json'], 1, /package\.json: not an MSK event: eventSource/],
    [['describe', 'nope'], 2, /unknown pipeline "nope"/],
    [['describe', 'flights', '--lake-url', 'file:.lake'], 2, /Athena reads S3 only/],
    [['describe', 'flights', '--lake-url', "s3://x/'"], 2, /Athena reads S3 only/],
  ])('%j: one clear error', async (args, code, message) => {
    const result = await inlet(args.map((arg) => (arg.startsWith('%') ? path.join(lake(), arg.slice(1)) : arg)))
    expect(result.stderr).toMatch(message)
    expect(result.stderr).not.toMatch(/\n\s+at /)
    expect([result.code, result.stdout]).toEqual([code, ''])
  })
})

test('a redrive tells what became of the dead letters; what it cannot land, the exit code says too', async () => {
  const event = path.join(directory(), 'event.json')
  await writeFile(event, JSON.stringify(sensorEvent([reading(1), '{'])))
  await run(event)
  const again = await inlet(['dead-letters', 'redrive', PIPELINE, '--code', 'JSON_INVALID', '--lake', lake()])
  expect(again).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^found {2}landed as rows.*\n.*\n +1 +0 +0 +1 +0 +0\n/),
  })
  expect(again.stderr).toMatch(/redrive sensors: 1 of 1 commits, /)
  for (const file of await filesBelow('tables/sensors_dead_letters')) await rm(file)
  const redrive = ['dead-letters', 'redrive', PIPELINE, '--lake', lake()]
  expect(await inlet(redrive)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/\nfailed: sensors-0@1…1, 1 record: LOG_C/),
  })
  const asJson = await inlet([...redrive, '--json'])
  expect(JSON.parse(asJson.stdout)).toMatchObject({ failed: 1, failures: [{ code: 'LOG_CORRUPT', firstOffset: 1 }] })
  expect(asJson.code).toBe(1)
})

test('a reader that has seen enough is no failure', async () => {
  await run(await values(days))
  const query = ['query', 'SELECT s.* FROM sensors s, range(3000)', '--json', '--lake', lake()]
  const command = [process.execPath, path.join(projectRoot, 'shared/cli/inlet.ts'), ...query].map((arg) => `'${arg}'`)
  const piped = promisify(execFile)('bash', ['-o', 'pipefail', '-c', `${command.join(' ')} | head -c 20`])
  await expect(piped).resolves.toEqual({ stdout: '[{"sensor":"s1","at"', stderr: '' })
})

test('help everywhere, with an example and --json', async () => {
  const { code, stdout } = await inlet(['--help'])
  expect([code, stdout.startsWith('Usage: inlet')]).toEqual([0, true])
  const commands = [...stdout.matchAll(/^ {2}([a-z-]+) (?:\[options\]|\[command\]|<)/gm)].map(([, name = '']) => [name])
  expect(commands.flat()).toEqual(expect.arrayContaining(['run', 'query', 'verify', 'whereis', 'describe', 'inspect']))
  const groups = new Set(['dead-letters', 'table', 'kafka'])
  const leaves = commands.filter(([name = '']) => name !== 'help' && !groups.has(name))
  const letters = ['ls', 'show', 'redrive'].map((name) => ['dead-letters', name])
  const broker = ['up', 'down', 'status', 'env'].map((name) => ['kafka', name])
  for (const command of [...leaves, ...letters, ...broker]) {
    const help = await inlet([...command, '--help'])
    expect([command, help.code]).toEqual([command, 0])
    expect(help.stdout).toMatch(new RegExp(`^Usage: inlet ${command.join(' ')} `))
    expect(help.stdout).toContain('--json')
    expect(help.stdout).toMatch(new RegExp(`\\nExamples?:\\n  npm run -s inlet -- ${command.join(' ')}\\b`))
  }
}, 60_000)
