import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { rescore as scoreLater, type RescoreArguments } from '#shared/cli/rescore.ts'
import { AUDIT_COLUMNS, type Column } from '#shared/pipeline/columns.ts'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import { inlet, projectRoot, type Result } from '#test/helpers/command.ts'
import { EndpointServer } from '#test/helpers/endpoint-server.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

/** A project of its own, with a pipeline that has a score. */
const directory = temporaryDirectory()
const file = (name: string): string => path.join(directory(), 'functions/trips', name)
const lake = (): string => path.join(directory(), 'lake')

const column = (name: string, kind: 'int32' | 'double' | 'string', nullable = true): Column => ({
  name,
  type: { kind },
  nullable,
})
const COLUMNS = [column('id', 'int32', false), column('score', 'double'), column('model', 'string')]
const LOCK = lockFor({ columns: [...COLUMNS, ...AUDIT_COLUMNS], partitionSpec: [] })

let factor = 1 / 8
let server: EndpointServer
beforeEach(async () => {
  factor = 1 / 8
  server = await EndpointServer.start((rows) => rows.map((row) => String(Number(row) * factor)))
  await mkdir(file('.'), { recursive: true })
  for (const name of ['shared', 'node_modules'])
    await symlink(path.join(projectRoot, name), path.join(directory(), name))
  const settings = { type: 'module', imports: { '#shared/*': './shared/*' } }
  await writeFile(path.join(directory(), 'package.json'), JSON.stringify(settings))
  await writeFile(file('table.lock.json'), JSON.stringify(LOCK))
  await writeFile(
    file('pipeline.ts'),
    `import * as z from 'zod'
    import { definePipeline } from '#shared/pipeline/pipeline.ts'
    import lock from './table.lock.json' with { type: 'json' }
    export const trips = definePipeline({
      name: 'trips', topic: 'trips', event: z.object({ id: z.int32() }),
      row: z.object({ id: z.int32(), score: z.number().nullable(), model: z.string().nullable() }),
      transform: ({ value }) => ({ ...value, score: null, model: null }),
      lake: { table: 'trips', lock },
      scores: { late: { endpoint: 'trips', features: ({ id }) => [id], into: 'score', modelVersionInto: 'model' } },
    })`,
  )
  await writeFile(path.join(directory(), 'events.ndjson'), '{"id":1}\n{"id":2}\n{"id":3}\n')
})
afterEach(() => server.stop())

/** Runs a command where an endpoint is set up, or none is. */
function call(args: readonly string[], url = server.endpoint): Promise<Result> {
  const none = { AWS_REGION: '', AWS_DEFAULT_REGION: '', AWS_PROFILE: '', AWS_ENDPOINT_URL: '', AWS_ACCESS_KEY_ID: '' }
  return inlet(args, undefined, { ...none, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: url })
}

const run = (url?: string, ...more: string[]): Promise<Result> => {
  const events = path.join(directory(), 'events.ndjson')
  return call(['run', file('pipeline.ts'), '--events', events, '--lake', lake(), ...more], url)
}
const rescore = (...more: string[]): Promise<Result> =>
  call(['rescore', file('pipeline.ts'), '--lake', lake(), ...more])
const scores = async (): Promise<unknown> => {
  const { stdout } = await inlet([
    'query',
    'SELECT id, score, model FROM trips ORDER BY id',
    '--lake',
    lake(),
    '--json',
  ])
  return JSON.parse(stdout)
}

test('without an endpoint a run says what to set, and its rows wait; then they are scored', async () => {
  const { stdout, stderr } = await run('', '--json')
  expect(stderr).toContain(
    'Rows of trips wait for their scores: no endpoint (trips) is set up. Set AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME to',
  )
  expect(JSON.parse(stdout)).toMatchObject({ rows: 3, scores: { scored: 0, waiting: 3, unscored: 0 } })
  const refused = await call(['rescore', file('pipeline.ts'), '--lake', lake()], '')
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('no endpoint (trips) is set up') })

  expect(JSON.parse((await rescore('--json')).stdout)).toMatchObject({ scored: 3, waiting: 0, left: [] })
  expect(await scores()).toEqual([1, 2, 3].map((id) => ({ id, score: id / 8, model: 'v1' })))
})

test('a run with an endpoint shows its scores; a new model is compared before it takes over', async () => {
  expect((await run(server.endpoint)).stdout).toMatch(
    /rows scored +waiting[^\n]*endpoint\n[^\n]*\n? *3 +0 +0 +\d+\.\d+ +there/,
  )
  factor = 1 / 2
  const range = ['--model-version', 'v2', '--from', '1970-01-01', '--to', '1970-01-02']
  const other = await rescore(...range)
  expect(other.stdout).toContain('3 rows were answered by another version of the model: they keep what they had.')
  server.version = 'v2'
  const shown = await rescore(...range, '--diff')
  expect(shown.stdout).toMatch(/late +score +3 +3 +0 +0\.250000 +1\.00000 +0\.750000 +1\.12500/)
  expect(await scores()).toEqual([1, 2, 3].map((id) => ({ id, score: id / 8, model: 'v1' })))
  expect(JSON.parse((await rescore(...range, '--json')).stdout)).toMatchObject({ scored: 3, otherVersion: 0 })
  expect(await scores()).toEqual([1, 2, 3].map((id) => ({ id, score: id / 2, model: 'v2' })))
  const again = JSON.parse((await rescore(...range, '--json')).stdout) as unknown
  expect(again).toMatchObject({ scored: 0, changes: [] })
})

test.each<[Partial<RescoreArguments>, string]>([
  [{ from: 'yesterday' }, '--from: expected a date or a time of ISO 8601, found "yesterday"'],
  [{ from: '2013-01-02', to: '2013-01-01' }, '--from must lie before --to'],
  [{ modelVersion: 'v2' }, '--model-version is for rows of a range'],
  [{ all: true, from: '2013-01-01' }, '--all is for rows that wait'],
])('%j is a wrong call', async (args, message) => {
  const scoring = scoreLater(file('pipeline.ts'), { lake: lake(), catalog: 'directory', ...args })
  await expect(scoring).rejects.toThrow(message)
})
