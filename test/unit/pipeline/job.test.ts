import { defineCompleteness } from '#shared/pipeline/completeness.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import type { JobsOptions } from '#shared/pipeline/job-options.ts'
import { defineJobs } from '#shared/pipeline/job.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/sensors.ts'

const { table } = locked(sensors)
/** Defines what the compiler would not let through. */
const define = (jobs: unknown, of: Table = table) => defineJobs(jobs as JobsOptions, of)
const job = (options: object) => ({ compact: { glue: 'compact', when: { every: '1 day' }, ...options } })
const emrServerless = { application: '00f', role: 'arn:aws:iam::123456789012:role/r', script: 's3://b/j.py' }

test('what is left out is filled in', () => {
  const [compact] = define({ compact: { glue: 'compact', when: { partitionComplete: '10 minutes' } } })
  expect(compact).toEqual({
    name: 'compact',
    target: { kind: 'glue', job: 'compact' },
    when: { kind: 'partitionComplete', latenessMs: 600_000 },
    retries: 2,
    concurrency: 1,
    rerunAfter: 1,
    arguments: {},
  })
  expect(define(undefined)).toEqual([])
})

test('each service, and each occasion, can be declared', () => {
  const emrStep = { cluster: 'j-1ABC', script: 's3://b/j.py', spark: ['--conf', 'a=b'] }
  const late = { partitionComplete: '1 hour' }
  const jobs = define({
    a: { emrServerless, when: { smallFiles: 100 }, retries: 0, concurrency: 5, arguments: { 'sort-by': 'sensor' } },
    b: { emrStep, when: { rows: 1000 } },
    c: { glue: 'c', when: late, late: 'ignore' },
    d: { glue: 'd', when: late, late: 'rerun after 1000 rows' },
  })
  expect(jobs.map(({ target }) => target)).toEqual([
    { kind: 'emrServerless', ...emrServerless, spark: '' },
    { kind: 'emrStep', ...emrStep },
    { kind: 'glue', job: 'c' },
    { kind: 'glue', job: 'd' },
  ])
  expect(jobs.map(({ when }) => when.kind)).toEqual(['smallFiles', 'rows', 'partitionComplete', 'partitionComplete'])
  expect(jobs.map(({ rerunAfter }) => rerunAfter)).toEqual([1, 1, null, 1000])
  expect(jobs[0]).toMatchObject({ retries: 0, concurrency: 5, arguments: { 'sort-by': 'sensor' } })
})

test.each([
  [job({ wen: 1 }), 'jobs.compact.wen: unknown option; there are glue, emrServerless'],
  [{ Compact: job({}).compact }, 'jobs: expected names of lower-case letters'],
  [{ compact: 'glue' }, 'jobs.compact: expected { glue'],
  [['a'], 'jobs: expected { name'],
  [job({ glue: '' }), 'jobs.compact.glue: expected the name of a Glue job, found ""'],
  [job({ emrServerless }), 'jobs.compact: expected one of glue, emrServerless, emrStep, found glue and emrServerless'],
  [{ compact: { when: { every: '1 day' } } }, 'jobs.compact: expected one of glue, emrServerless, emrStep, found none'],
  [job({ when: undefined }), 'jobs.compact.when: expected { partitionComplete'],
  [job({ when: {} }), 'jobs.compact.when: expected one of partitionComplete, smallFiles, every, rows, found none'],
  [job({ when: { every: '1 day', rows: 1 } }), 'found every and rows'],
  [job({ when: { each: '1 day' } }), 'jobs.compact.when.each: unknown option'],
  [job({ when: { every: '1 fortnight' } }), 'jobs.compact.when.every: expected'],
  [job({ when: { partitionComplete: '0 minutes' } }), 'jobs.compact.when.partitionComplete: expected'],
  [job({ when: { smallFiles: 1 } }), 'jobs.compact.when.smallFiles: expected a whole number from 2'],
  [job({ when: { rows: 0.5 } }), 'jobs.compact.when.rows: expected a whole number from 1'],
  [job({ retries: 11 }), 'jobs.compact.retries: expected a whole number from 0 to 10'],
  [job({ concurrency: 0 }), 'jobs.compact.concurrency: expected a whole number from 1'],
  [job({ late: 'ignore' }), 'jobs.compact.late: only what runs when a window is complete knows late rows'],
  [job({ when: { partitionComplete: '1 day' }, late: 'rerun after 0 rows' }), "jobs.compact.late: expected 'ignore'"],
  [job({ arguments: { Sort: 'x' } }), 'jobs.compact.arguments: expected names'],
  [job({ arguments: { snapshot: 'x' } }), 'jobs.compact.arguments.snapshot: every run has an argument of that name'],
  [job({ arguments: { n: 1 } }), 'jobs.compact.arguments.n: expected a text'],
  [
    { a: { emrServerless: { ...emrServerless, role: 'r' }, when: { rows: 1 } } },
    'jobs.a.emrServerless.role: expected the ARN of a role',
  ],
  [
    { a: { emrServerless: { ...emrServerless, script: 'j.py' }, when: { rows: 1 } } },
    'jobs.a.emrServerless.script: expected s3://',
  ],
  [
    { a: { emrStep: { cluster: 'x', script: 's3://b/j.py' }, when: { rows: 1 } } },
    'jobs.a.emrStep.cluster: expected the id of a cluster',
  ],
])('%j is refused', (jobs, message) => {
  expect(() => define(jobs)).toThrow(PipelineDefinitionError)
  expect(() => define(jobs)).toThrow(message)
})

test('jobs need snapshots, and complete windows need windows', () => {
  expect(() => define(job({}), sensors.table)).toThrow('jobs: they read snapshots, and plain files have none')
  const unpartitioned = { ...table, partitionSpec: [] }
  expect(() => define(job({ when: { partitionComplete: '1 hour' } }), unpartitioned)).toThrow(
    'the table has no windows',
  )
  expect(define(job({ when: { smallFiles: 9 } }), unpartitioned)).toHaveLength(1)
})

test('completeness', () => {
  expect(defineCompleteness()).toEqual({ idleMs: 900_000, clockSkewMs: 600_000, quietMs: null })
  expect(defineCompleteness({ idle: '1 hour', clockSkew: '1 minute', quiet: '1 day' })).toEqual({
    idleMs: 3_600_000,
    clockSkewMs: 60_000,
    quietMs: 86_400_000,
  })
  expect(() => defineCompleteness({ iddle: '1 hour' } as object)).toThrow('lake.completeness.iddle: unknown option')
  expect(() => defineCompleteness({ idle: '0 hours' })).toThrow('lake.completeness.idle: expected')
  expect(() => defineCompleteness('x' as never)).toThrow('lake.completeness: expected {')
})
