import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { inlet, projectRoot, type Result } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

/** A project of its own, with a pipeline whose contract the tests change. */
const directory = temporaryDirectory()
const file = (name: string): string => path.join(directory(), 'functions/trips', name)
const lake = (): string => path.join(directory(), 'lake')

const ROW = 'id: z.int32(), from: z.string(), at: z.date()'
const IMPORT = "import lock from './table.lock.json' with { type: 'json' }"

interface Declared {
  readonly row?: string
  readonly lake?: string
  readonly head?: string
}

async function declare({ row = ROW, lake: options = 'lock', head = IMPORT }: Declared = {}): Promise<void> {
  await writeFile(
    file('pipeline.ts'),
    `import * as z from 'zod'
    import { definePipeline } from '#shared/pipeline/pipeline.ts'
    ${head}
    export const trips = definePipeline({
      name: 'trips', topic: 'trips', event: z.record(z.string(), z.json()), row: z.object({ ${row} }),
      transform: ({ value }) => ({ ...value, at: new Date(String(value['at'])) }) as never,
      lake: { table: 'trips', partitionBy: { at: 'day' }, ${options} },
    })`,
  )
}

beforeEach(async () => {
  await mkdir(file('.'), { recursive: true })
  for (const name of ['shared', 'node_modules'])
    await symlink(path.join(projectRoot, name), path.join(directory(), name))
  const settings = { type: 'module', imports: { '#shared/*': './shared/*' } }
  await writeFile(path.join(directory(), 'package.json'), JSON.stringify(settings))
  await declare()
})

const table = (command: string, ...more: string[]): Promise<Result> =>
  inlet(['table', command, file('pipeline.ts'), ...(command === 'lock' ? [] : ['--lake', lake()]), ...more])
const lines = ({ stdout }: Result): string[] => stdout.trim().split('\n')
const json = async (command: string, ...more: string[]): Promise<unknown> =>
  JSON.parse((await table(command, '--json', ...more)).stdout)

async function run(ids: readonly number[], name = 'a'): Promise<Result> {
  const events = path.join(directory(), `${name}.ndjson`)
  const trips = ids.map((id) => JSON.stringify({ id, from: `p${id}`, at: `2026-01-0${1 + (id % 2)}T10:00:00Z` }))
  await writeFile(events, `${trips.join('\n')}\n`)
  return inlet(['run', file('pipeline.ts'), '--events', events, '--lake', lake(), '--partitions', '1'])
}

const query = (sql: string, ...more: string[]): Promise<Result> =>
  inlet(['query', sql, '--lake', lake(), '--json', ...more])

describe('lock', () => {
  test('a first one, of a pipeline that imports it already', async () => {
    const check = await table('lock', '--check')
    expect([check.code, lines(check).slice(1)]).toEqual([
      1,
      ['  create it with 8 columns, partitioned by day of at', 'Nothing was touched.'],
    ])
    await expect(readFile(file('table.lock.json'))).rejects.toThrow('ENOENT')
    const written = await table('lock')
    expect([written.code, lines(written)[0]]).toEqual([
      0,
      expect.stringMatching(/table\.lock\.json is now revision 1:$/),
    ])
    expect(JSON.parse(await readFile(file('table.lock.json'), 'utf8'))).toMatchObject({ revision: 1, lastColumnId: 8 })
    expect(await table('lock', '--check')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/is up to date \(revision 1\)\.\n$/),
    })
  })

  test('of a pipeline that does not import it: how to', async () => {
    await declare({ head: '', lake: '' })
    expect((await table('lock')).stdout).toContain(
      "The pipeline does not import it yet:\n  import lock from './table.lock.json' with { type: 'json' }\n",
    )
    // What it would need from scratch is not what its files have.
    await declare({ head: '', lake: '', row: `other: z.string(), ${ROW}` })
    const lock = await readFile(file('table.lock.json'), 'utf8')
    const refused = await table('lock')
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('table.lock.json is not the lock that the pipeline has, for it imports none:'),
    ])
    expect(await readFile(file('table.lock.json'), 'utf8')).toBe(lock)
  })

  test('what has changed, and that an incompatible contract is refused', async () => {
    await table('lock')
    await declare({
      row: "id: z.int(), origin: z.string().nullable().meta({ alias: 'from' }), at: z.date(), n: z.int32()",
    })
    expect(lines(await table('lock', '--check')).slice(1)).toEqual([
      '  widen "id" from int to long',
      '  rename "from" to "origin"',
      '  let "origin" be null',
      '  add "n" (int)',
      'Nothing was touched.',
    ])
    expect(await table('apply')).toMatchObject({ code: 1, stderr: expect.stringContaining('inlet table lock') })
    expect(await json('plan')).toMatchObject({ lock: [{ kind: 'widen' }, {}, {}, {}], tables: [] })
    expect(await table('lock')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Commit it with the pipeline.'),
    })
    const lock = await readFile(file('table.lock.json'), 'utf8')
    await declare({ row: 'id: z.string(), origin: z.string(), at: z.date(), n: z.int32()' })
    for (const command of ['lock', 'plan'])
      expect(await table(command)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /"id" is int64 in the table and cannot become string: .* Only int32 may become int64/,
        ),
      })
    expect(await readFile(file('table.lock.json'), 'utf8')).toBe(lock)
  })

  test('plain files need none', async () => {
    await declare({ head: '', lake: "layout: 'files'" })
    expect(await table('lock')).toMatchObject({ code: 2, stderr: expect.stringContaining('writes plain files') })
    expect(await table('plan')).toMatchObject({ code: 2, stderr: expect.stringContaining('no catalog has its tables') })
  })
})

describe('with a lock', () => {
  beforeEach(async () => {
    await table('lock')
  })

  test('plan touches nothing, apply does what it says, once', async () => {
    const plan = await table('plan')
    expect([plan.code, lines(plan)]).toEqual([
      0,
      [
        'trips:',
        '  would create it with 8 columns, partitioned by day of at',
        'trips_dead_letters:',
        '  would create it with 16 columns, partitioned by day of _timestamp',
        'Nothing was touched.',
      ],
    ])
    await expect(readFile(path.join(lake(), 'marks'))).rejects.toThrow('ENOENT')
    expect(await json('apply')).toEqual([
      { table: 'trips', changes: [expect.objectContaining({ kind: 'create' })], refused: null },
      { table: 'trips_dead_letters', changes: [expect.objectContaining({ kind: 'create' })], refused: null },
    ])
    expect(lines(await table('apply'))[0]).toBe('trips: is as it is declared, nothing to do.')
  })

  test('a table that is gone is refused, until it is to be made anew', async () => {
    await run([1, 2])
    await rm(path.join(lake(), 'tables/trips/metadata'), { recursive: true })
    const plan = await table('plan')
    expect([plan.code, lines(plan)[0]]).toEqual([1, expect.stringMatching(/^trips: refused: .*does not have any more/)])
    expect(lines(await table('plan', '--anew'))[1]).toMatch(/would create it/)
    expect(await table('apply', '--anew')).toMatchObject({ code: 0 })
    expect(await query('SELECT count(*)::INT AS n FROM trips')).toMatchObject({
      stdout: '[{"n":0}]\n',
      stderr: expect.stringContaining(
        '1 commit is not in the snapshot of trips yet; "inlet table commit trips" brings it in',
      ),
    })
    const commit = await table('commit')
    expect(commit).toMatchObject({ code: 0, stderr: expect.stringContaining('commit trips: 1 of 1 commits') })
    expect(await json('commit')).toEqual([
      { table: 'trips', entries: 0, files: 0, rows: 0, snapshots: [] },
      { table: 'trips_dead_letters', entries: 0, files: 0, rows: 0, snapshots: [] },
    ])
    expect(await query('SELECT count(*)::INT AS n FROM trips')).toMatchObject({ stdout: '[{"n":2}]\n', stderr: '' })
  })

  test('history, files, the past, and back to it', async () => {
    await run([1, 2])
    await run([3], 'b')
    const history = (await json('history')) as { snapshots: { id: string }[] }
    expect(history).toMatchObject({
      table: 'trips',
      snapshots: [
        { state: 'current', by: 'inlet', operation: 'append', addedRows: 1, addedFiles: 1, rows: 3, files: 3 },
        { state: 'before', addedRows: 2, addedFiles: 2, rows: 2, files: 2 },
      ],
      pending: 0,
      fault: null,
    })
    const id = history.snapshots[1]?.id ?? ''
    expect(await query('SELECT id FROM trips ORDER BY id', '--at', id)).toMatchObject({
      stdout: '[{"id":1},{"id":2}]\n',
    })
    expect(await json('files', '--at', id)).toEqual(
      ['2026-01-01', '2026-01-02'].map((day): unknown =>
        expect.objectContaining({ partition: { at_day: day }, content: 'data', rows: 1, snapshot: id }),
      ),
    )
    expect(lines(await table('files')).at(-1)).toMatch(/^3 rows in 3 data files, /)
    expect(lines(await table('files', '--dead-letters'))).toEqual(['The table has no files.'])

    expect(await table('rollback', '--to', 'x')).toMatchObject({ code: 2 })
    expect(await table('rollback', '--to', '12')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/table trips has no snapshot 12, or it has expired; there are \d+ \(/),
    })
    const back = await table('rollback', '--to', id)
    expect(lines(back)).toEqual([
      expect.stringMatching(/^trips is at snapshot \d+ again, with 2 rows; it was at \d+\.$/),
      expect.any(String),
      '1 commit of the log is not in it yet, and enters with the next commit: inlet table commit trips',
    ])
    expect(await json('history')).toMatchObject({
      snapshots: [{ state: 'rolled back' }, { state: 'current' }],
      pending: 1,
    })
    await table('commit')
    expect(await query('SELECT count(*)::INT AS n FROM trips')).toMatchObject({ stdout: '[{"n":3}]\n', stderr: '' })
    expect(await table('adopt')).toMatchObject({ code: 1, stderr: expect.stringContaining('is not empty') })
  })

  test('adopt has an empty table filled from the beginning', async () => {
    await run([1, 2])
    await rm(path.join(lake(), 'tables/trips/metadata'), { recursive: true })
    const other = path.join(directory(), 'other')
    await inlet(['table', 'apply', file('pipeline.ts'), '--lake', other])
    await rm(path.join(lake(), 'tables/trips/metadata'), { recursive: true, force: true })
    const made = await readFile(path.join(other, 'tables/trips/metadata/v1.metadata.json'), 'utf8')
    await mkdir(path.join(lake(), 'tables/trips/metadata'))
    await writeFile(path.join(lake(), 'tables/trips/metadata/v1.metadata.json'), made.replaceAll(other, lake()))
    expect(await table('commit')).toMatchObject({ code: 1 })
    const adopted = await table('adopt')
    expect([adopted.code, adopted.stdout]).toEqual([
      0,
      expect.stringContaining('is the table of trips now. 1 commit of the log'),
    ])
    await table('commit')
    expect(await query('SELECT count(*)::INT AS n FROM trips')).toMatchObject({ stdout: '[{"n":2}]\n' })
  })

  test('what there is not', async () => {
    for (const command of ['history', 'files', 'commit', 'adopt'])
      expect(await table(command)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('the catalog has no table trips: make it'),
      })
    expect(await table('plan', '--catalog', 'hive')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no such catalog'),
    })
    expect(await table('history', '--catalog', 'glue:lake')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is for a lake in S3'),
    })
  })
})

test('help for each, with an example', async () => {
  for (const command of ['lock', 'plan', 'apply', 'commit', 'history', 'files', 'rollback', 'adopt']) {
    const { code, stdout } = await inlet(['table', command, '--help'])
    expect([code, stdout]).toEqual([0, expect.stringContaining(`  npm run -s inlet -- table ${command} `)])
    expect(stdout).toContain('--json')
  }
}, 30_000)
