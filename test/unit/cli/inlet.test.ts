import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { inlet } from '#test/helpers/command.ts'
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
    ['a missing option', ['run', PIPELINE], 2, /required option '--events/],
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
  })

  test('a data file is gone', async () => {
    const [file] = await filesBelow('tables')
    await rm(String(file))
    expect(await verify()).toMatchObject({ code: 1, stdout: expect.stringContaining('is missing') })
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
    const result = await verify()
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/commits\/\d+\.json: .*/)
  })

  test('an orphan is reported and is no fault', async () => {
    const orphan = path.join(lake(), 'tables/sensors/data/at_day=2026-01-01/left.parquet')
    await mkdir(path.dirname(orphan), { recursive: true })
    await writeFile(orphan, 'x')
    const { code, stdout } = await verify()
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ orphans: [{ path: expect.stringContaining('left.parquet'), bytes: 1 }] })
  })

  test('a directory that is no lake is an error, not an empty proof', async () => {
    const result = await inlet(['verify', '--lake', path.join(directory(), 'typo')])
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no commit log here') })
  })
})

test('help everywhere', async () => {
  for (const args of [['--help'], ['run', '--help'], ['query', '--help'], ['verify', '--help']]) {
    const { code, stdout } = await inlet(args)
    expect([code, stdout.startsWith('Usage: inlet')]).toEqual([0, true])
  }
})
