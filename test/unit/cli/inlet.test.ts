import { execFile } from 'node:child_process'
import { mkdir, readdir, rm, truncate, writeFile, readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const PIPELINE = 'test/helpers/sensors.ts'
const directory = temporaryDirectory()
const lake = (): string => path.join(directory(), 'lake')

const run = (events: string, ...more: string[]) =>
  inlet(['run', PIPELINE, '--events', events, '--lake', lake(), '--json', ...more])
const count = async (table = 'sensors'): Promise<unknown> =>
  JSON.parse((await inlet(['query', `SELECT count(*)::INT AS n FROM ${table}`, '--lake', lake(), '--json'])).stdout)

async function values(lines: readonly string[], name = 'values.ndjson'): Promise<string> {
  const file = path.join(directory(), name)
  await writeFile(file, `${lines.join('\n')}\n`)
  return file
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(lake(), folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

const days = Array.from({ length: 12 }, (_, i) => reading(i + 1, `2026-01-${String(1 + (i % 3)).padStart(2, '0')}`))

describe('run', () => {
  test('lands a file of values once, however often it is run', async () => {
    const file = await values([...days, '{', reading(0)])
    const first = await run(file, '--batch', '5', '--partitions', '2')
    expect(first).toMatchObject({ code: 0 })
    expect(JSON.parse(first.stdout)).toMatchObject({
      records: 14,
      known: 0,
      written: 12,
      rows: 12,
      deadLetters: 1,
      skipped: 1,
    })
    const again = await run(file, '--batch', '3', '--partitions', '2')
    expect(JSON.parse(again.stdout)).toMatchObject({
      records: 14,
      known: 14,
      written: 0,
      rows: 0,
      files: 0,
      deadLetters: 0,
    })
    expect(await count()).toEqual([{ n: 12 }])
    expect(await count('sensors_dead_letters')).toEqual([{ n: 1 }])
  })

  test('two at the same time, with other batches, end with each record once', async () => {
    const file = await values(Array.from({ length: 600 }, (_, i) => reading(i + 1)))
    const results = await Promise.all(['7', '11', '13'].map((batch) => run(file, '--batch', batch)))
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
    const summaries = results.map(
      ({ stdout }) => JSON.parse(stdout) as { written: number; known: number; records: number },
    )
    expect(summaries.reduce((sum, { written }) => sum + written, 0)).toBe(600)
    for (const { written, known, records } of summaries) expect(written + known).toBe(records)
    expect(await count()).toEqual([{ n: 600 }])
    expect(await inlet(['verify', '--deep', '--lake', lake()])).toMatchObject({ code: 0 })
  })

  test('MSK events, and values from standard input', async () => {
    const event = path.join(directory(), 'event.json')
    await writeFile(event, JSON.stringify(sensorEvent([reading(1), reading(-1)])))
    expect(JSON.parse((await run(event)).stdout)).toMatchObject({ records: 2, written: 2, rows: 3 })
    const piped = await inlet(['run', PIPELINE, '--events', '-', '--lake', lake(), '--json'], `${days[0]}\n`)
    expect(JSON.parse(piped.stdout)).toMatchObject({ records: 1, written: 1 })
    expect(await count()).toEqual([{ n: 4 }])
  })

  test('an MSK event from standard input is taken for one, and is the same as in a file', async () => {
    const event = sensorEvent([reading(1), reading(-1)])
    const file = path.join(directory(), 'event.json.gz')
    await writeFile(file, gzipSync(JSON.stringify(event)))
    expect(JSON.parse((await run(file)).stdout)).toMatchObject({ records: 2, known: 0, written: 2 })
    const piped = await inlet(['run', PIPELINE, '--events', '-', '--lake', lake(), '--json'], JSON.stringify(event))
    expect(JSON.parse(piped.stdout)).toMatchObject({ records: 2, known: 2, written: 0 })
    // A value that only speaks of events is a value.
    const value = JSON.stringify({ ...JSON.parse(reading(1)), note: { eventSource: 'aws:kafka' } })
    const other = await inlet(['run', PIPELINE, '--events', '-', '--lake', lake(), '--json'], `${value}\n${value}\n`)
    expect(JSON.parse(other.stdout)).toMatchObject({ records: 2, written: 2 })
  })

  test.each([
    ['an unknown pipeline', ['run', 'nope', '--events', 'x.json'], 2, /unknown pipeline "nope"; there are: .*flights/],
    [
      'a pipeline file that is not there',
      ['run', './nope.ts', '--events', 'x.json'],
      2,
      /there is no file \.\/nope\.ts/,
    ],
    [
      'a file that is not there',
      ['run', PIPELINE, '--events', 'nope.json'],
      1,
      /cannot read nope\.json: there is no such file/,
    ],
    ['a directory', ['run', PIPELINE, '--events', '%folder.json'], 1, /folder\.json: it is a directory/],
    [
      'a file of an unknown kind',
      ['run', PIPELINE, '--events', 'package.lock'],
      1,
      /cannot tell what package\.lock holds/,
    ],
    [
      'a file that is no JSON',
      ['run', PIPELINE, '--events', '%bad.json'],
      1,
      /bad\.json as an MSK event: it is not JSON/,
    ],
    ['a file that is no MSK event', ['run', PIPELINE, '--events', '%empty.json'], 1, /not an MSK event: eventSource/],
    ['a file that is no gzip', ['run', PIPELINE, '--events', '%bad.ndjson.gz'], 1, /it is not gzip/],
    [
      'a row that Parquet cannot hold',
      ['run', 'test/fixtures/row-of-any.ts', '--events', 'x.json'],
      1,
      /row-of-any\.ts: pipeline row-of-any: row\.payload\.body: .*"any"/,
    ],
    ['an option that there is not', ['run', PIPELINE, '--events', 'x', '--bach', '5'], 2, /unknown option '--bach'/],
    ['a batch of none', ['run', PIPELINE, '--events', 'x', '--batch', '0'], 2, /Expected a whole number from 1/],
    ['no number of retries', ['run', PIPELINE, '--events', 'x', '--retries', 'x'], 2, /Expected a whole number from 0/],
    ['a missing option', ['run', PIPELINE], 2, /Say --events and files, or --kafka and brokers/],
    ['standard input twice', ['run', PIPELINE, '--events', '-', '-'], 2, /standard input \(-\) can be read once only/],
    ['a command that there is not', ['runn'], 2, /unknown command 'runn'/],
  ])('%s: one clear error, and nothing is written', async (_, args, code, message) => {
    await mkdir(path.join(directory(), 'folder.json'))
    await writeFile(path.join(directory(), 'bad.json'), '{"a":')
    await writeFile(path.join(directory(), 'empty.json'), '{}')
    await writeFile(path.join(directory(), 'bad.ndjson.gz'), 'plain')
    const located = args.map((arg) => (arg.startsWith('%') ? path.join(directory(), arg.slice(1)) : arg))
    const result = await inlet([...located, '--lake', lake()])
    expect(result.stderr).toMatch(message)
    expect(result.stderr).not.toMatch(/\n\s+at /)
    expect(result.code).toBe(code)
    await expect(readdir(lake())).rejects.toThrow('ENOENT')
  })
})

describe('query', () => {
  test('reads what is committed and nothing else', async () => {
    await run(await values(days))
    const [file] = await filesBelow('tables/sensors')
    await writeFile(path.join(path.dirname(String(file)), 'orphan.parquet'), 'not even Parquet')
    expect(await count()).toEqual([{ n: 12 }])
    const outside = await inlet(['query', "SELECT * FROM read_text('/etc/hostname')", '--lake', lake()])
    expect(outside).toMatchObject({ code: 1, stderr: expect.stringContaining('disabled by configuration') })
  })

  test('an unknown table: the error lists those that there are', async () => {
    await run(await values(days))
    const result = await inlet(['query', 'SELECT * FROM nope', '--lake', lake()])
    expect(result).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nope does not exist[^]*The lake's tables: sensors/),
    })
    expect(result.stderr).not.toMatch(/\n\s+at /)
  })
})

describe('verify', () => {
  const verify = () => inlet(['verify', '--lake', lake(), '--json'])
  const commits = async (): Promise<string[]> =>
    (await filesBelow('log')).filter((file) => file.includes('/p0/commits/'))

  beforeEach(async () => {
    await run(await values(days), '--partitions', '1', '--batch', '4')
  })

  test('a lake as it was written', async () => {
    const { code, stdout } = await verify()
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ logs: 1, commits: 3, counts: { records: 12 }, faults: [], orphans: [] })
    expect(await commits()).toHaveLength(3)
    const page = await inlet(['verify', '--lake', lake()])
    expect(page).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^WHOLE: [^]*\nsensors g0 [^]*\nfaults {4}0\n$/),
    })
  })

  test('a data file is gone', async () => {
    const [file] = await filesBelow('tables')
    await rm(String(file))
    expect(await verify()).toMatchObject({ code: 1, stdout: expect.stringContaining('is missing') })
    const page = await inlet(['verify', '--lake', lake()])
    expect(page).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^NOT WHOLE: 1 fault [^]* is missing \(named by /),
    })
  })

  test('one bit of a data file is another: the size tells nothing, the checksum does', async () => {
    const [file] = await filesBelow('tables')
    const body = await readFile(String(file))
    body[100] = (body[100] ?? 0) ^ 1
    await writeFile(String(file), body)
    expect(await verify()).toMatchObject({ code: 0 })
    const deep = await inlet(['verify', '--deep', '--lake', lake(), '--json'])
    expect(deep).toMatchObject({ code: 1, stdout: expect.stringContaining('has another checksum') })
  })

  test('a data file is cut', async () => {
    const [file] = await filesBelow('tables')
    await truncate(String(file), 100)
    expect(await verify()).toMatchObject({ code: 1, stdout: expect.stringContaining('has 100 bytes') })
  })

  test.each([
    ['the oldest', -1, 'no commit covers the offsets 0…3'],
    ['one between', 1, 'no commit covers the offsets 4…7'],
  ])('%s of the commits is gone', async (_, index, fault) => {
    await rm(String((await commits()).at(index)))
    expect(await verify()).toMatchObject({ code: 1, stdout: expect.stringContaining(fault) })
  })

  test('a commit that something else wrote', async () => {
    const [newest] = await commits()
    await writeFile(String(newest), '{"format":1}')
    const { code, stdout } = await verify()
    expect(code).toBe(1)
    const { faults } = JSON.parse(stdout) as { faults: unknown[] }
    expect(faults).toContainEqual({
      object: path.relative(lake(), String(newest)),
      fault: expect.stringMatching(/^kind: /),
    })
  })

  test('an orphan is reported and is no fault, and a file of another engine is not even that', async () => {
    const name = '0a2aa671bc2e-c0-00000000-0000-4000-8000-000000000000-0.parquet'
    const orphan = path.join(lake(), 'tables/sensors/data/at_day=2026-01-01', name)
    await mkdir(path.dirname(orphan), { recursive: true })
    await writeFile(orphan, 'x')
    await writeFile(path.join(path.dirname(orphan), '00000-0-compacted.parquet'), 'x')
    const { code, stdout } = await verify()
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ orphans: [{ path: expect.stringContaining(name), bytes: 1 }] })
  })

  test('a directory that is no lake is an error, not an empty proof', async () => {
    const result = await inlet(['verify', '--lake', path.join(directory(), 'typo')])
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no commit log here') })
  })
})

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
