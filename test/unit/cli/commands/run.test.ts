import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { inlet } from '#test/helpers/command.ts'
import { days, PIPELINE, sensorsLake } from '#test/helpers/sensors-lake.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

const { directory, lake, run, count, values, filesBelow } = sensorsLake()

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
