import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { inlet } from '#test/helpers/command.ts'
import { days, sensorsLake } from '#test/helpers/sensors-lake.ts'

const { directory, lake, run, values, filesBelow } = sensorsLake()

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
