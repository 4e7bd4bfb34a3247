import { runInTemporaryProject } from '#test/helpers/temporary-project.ts'

/** What every declaration begins with. `at` and `values` are names that arrays have too. */
const PRELUDE = `import * as z from 'zod'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
const Event = z.object({ id: z.string(), time: z.iso.datetime(), delay: z.number().nullable() })
const Row = z.object({ id: z.string(), at: z.date(), delay: z.number().nullable() })
const base = { name: 'p', topic: 't', event: Event, row: Row, lake: { table: 't' } }
const row = (value: z.output<typeof Event>) => ({ id: value.id, at: new Date(value.time), delay: value.delay })
const Nested = z.object({
  kind: z.enum(['a', 'b']),
  place: z.object({ city: z.string(), zip: z.string().nullable() }).nullable(),
  values: z.array(z.object({ n: z.number() })),
  note: z.string().optional(),
  flag: z.boolean().default(false),
})
const Wide = z.object({
  at: z.date().nullable(), on: z.iso.date(), until: z.iso.datetime().nullable().default(null), code: z.string(),
  n: z.int(), big: z.int64().optional(), kind: z.enum(['a', 'b']), raw: z.instanceof(Uint8Array), flag: z.boolean(),
  tags: z.array(z.string()),
})
const Scored = z.object({
  id: z.string(), delay: z.number(), risk: z.number().nullable(), grade: z.string().nullable(), count: z.int().nullable(),
  must: z.number(), when: z.date().nullable(), nothing: z.null(),
})
`

const define = (options: string): string => `definePipeline({ ...base, ${options} })`

const partitioned = (partitionBy: string): string =>
  define(`row: Wide, lake: { table: 't', partitionBy: ${partitionBy} }, transform: () => null`)

const scored = (score: string): string =>
  define(`row: Scored, transform: () => null, scores: { risk: { endpoint: 'e', ${score} } }`)

const triggered = (trigger: string): string => define(`trigger: ${trigger}, transform: () => null`)

const withJob = (job: string): string => define(`jobs: { j: ${job} }, transform: () => null`)

const ACCEPTED: Record<string, string> = {
  'jobs of each service': define(`jobs: {
    a: { glue: 'a', when: { partitionComplete: '10 minutes' }, late: 'rerun after 1000 rows', retries: 1 },
    b: { emrServerless: { application: '0', role: 'r', script: 's' }, when: { smallFiles: 100 } },
    c: { emrStep: { cluster: 'j-1', script: 's' }, when: { every: '1 day' }, arguments: { x: 'y' } },
  }, transform: () => null`),
  'a row': define(`transform: ({ value }) => row(value)`),
  'a row written out': define(`transform: ({ value: e }) => ({ id: e.id, at: new Date(e.time), delay: e.delay })`),
  'a row or null': define(`transform: ({ value }) => (value.delay === 0 ? null : row(value))`),
  'null alone': define(`transform: () => null`),
  'an array': define(`transform: ({ value }) => [row(value), row(value)]`),
  'an empty array': define(`transform: () => []`),
  'a row, an array or null by the branch': define(`transform: ({ value }) => {
    if (value.delay === null) return null
    if (value.delay === 0) return [row(value), row(value)]
    return row(value)
  }`),
  'what map makes': define(`transform: ({ value }) => [1, 2].map((delay) => ({ ...row(value), delay }))`),
  'null where a field is nullable': define(`transform: ({ value }) => ({ ...row(value), delay: null })`),
  'the record': define(
    `transform: ({ value, record }) => ({ ...row(value), id: \`\${record.topic}@\${record.offset}\` })`,
  ),
  'a throw': define(`transform() { throw new RangeError('never') }`),
  'a function from elsewhere': `const transform = ({ value }: { value: z.output<typeof Event> }) => row(value)
    ${define('transform')}`,
  'literals of an enum; what is optional or has a default left out': define(
    `row: Nested, transform: ({ value: e }) => ({ kind: 'a', place: null, values: [{ n: e.id.length }] })`,
  ),
  'literals of an enum in an array; all fields': define(
    `row: Nested, transform: ({ value: e }) => e.delay === 0 ? null : [{ kind: 'b', place: { city: e.id, zip: null }, values: [], note: 'n', flag: true }]`,
  ),
  'a union of events, narrowed': define(`
    event: z.discriminatedUnion('type', [
      z.object({ type: z.literal('x'), x: z.string() }), z.object({ type: z.literal('y'), y: z.number() })]),
    row: z.object({ s: z.string() }),
    transform: ({ value }) => ({ s: value.type === 'x' ? value.x : value.y.toFixed() })`),
  'an event of any shape': define(
    `event: z.record(z.string(), z.any()), row: z.object({ s: z.string() }), transform: ({ value }) => ({ s: value['s'] })`,
  ),
  'fields of any type': define(
    `row: Nested, transform: ({ value: e }) => ({ kind: 'a', place: JSON.parse(e.id), values: JSON.parse(e.id) })`,
  ),
  'day of a date, identity of a string': partitioned(`{ at: 'day', code: 'identity' }`),
  'every transform of a date but truncate': partitioned(
    `{ at: ['identity', 'hour', 'day', 'month', 'year', { bucket: 16 }] }`,
  ),
  'day of a text that is a date': partitioned(`{ on: ['day', 'month', 'year', 'identity'] }`),
  'hour of a text that is a time, below null and a default': partitioned(`{ until: 'hour' }`),
  buckets: partitioned(
    `{ code: { bucket: 16 }, n: { bucket: 4 }, big: { bucket: 4 }, kind: { bucket: 2 }, raw: { bucket: 4 } }`,
  ),
  truncation: partitioned(
    `{ code: { truncate: 4 }, n: { truncate: 100 }, big: { truncate: 4 }, raw: { truncate: 4 } }`,
  ),
  'several transforms of one field': partitioned(`{ code: [{ truncate: 1 }, { bucket: 16 }], at: ['day'] }`),
  'identity of a boolean': partitioned(`{ flag: 'identity' }`),
  'a trigger on demand': triggered(
    `{ batchSize: 500, batchingWindowSeconds: 0, startingPosition: new Date(0), failureDestination: 's3://failed',
      filters: [{ value: { kind: ['a', { prefix: 'b' }], $or: [{ n: [{ numeric: ['>', 1, '<=', 2] }] }, { m: [null] }] } }, { value: ['text'] }] }`,
  ),
  'a provisioned trigger': triggered(
    `{ mode: 'provisioned', maximumRetryAttempts: 3, maximumRecordAgeSeconds: 60, bisectBatchOnError: true,
      partialResponses: false, pollers: { minimum: 2, maximum: 5 } }`,
  ),
  'a score of features in a list': scored(`features: (row) => [row.delay, row.id, null], into: 'risk'`),
  'a score that is not always asked for': scored(
    `features: (row) => (row.delay > 0 ? [row.delay] : null), into: 'count'`,
  ),
  'features by their names, in JSON': scored(
    `contentType: 'application/json', features: (row) => ({ delay: row.delay, of: { id: row.id } }), into: 'risk'`,
  ),
  'parts of a prediction, a version and a reason': scored(
    `contentType: 'application/jsonlines', features: (row) => [row.delay], into: { risk: 'p', grade: 1 },
      modelVersionInto: 'grade', reasonInto: 'grade', onUnavailable: 'null', batch: { rows: 5 }, serverless: true`,
  ),
  'a codec of its own': scored(
    `codec: { contentType: 'x/y', encodeRow: (n: number) => String(n), encodeBody: (rows) => rows.join(), decode: () => [] },
      features: (row) => row.delay, into: 'risk'`,
  ),
}

/** Declaration → what the compiler must say of it. */
const REJECTED: Record<string, readonly [string, RegExp]> = {
  'a feature of a field that the row has not': [
    scored(`features: (row) => [row.dealy], into: 'risk'`),
    /Property 'dealy' does not exist/,
  ],
  'a score into a field that the row has not': [
    scored(`features: (row) => [row.delay], into: 'rsk'`),
    /Type '"rsk"' is not assignable/,
  ],
  'a score into a number that may not be null': [
    scored(`features: (row) => [row.delay], into: 'must'`),
    /Type '"must"' is not assignable/,
  ],
  'a score into a text': [scored(`features: (row) => [row.delay], into: 'grade'`), /Type '"grade"' is not assignable/],
  'a score into a time': [scored(`features: (row) => [row.delay], into: 'when'`), /Type '"when"' is not assignable/],
  'a score into nothing': [
    scored(`features: (row) => [row.delay], into: 'nothing'`),
    /Type '"nothing"' is not assignable/,
  ],
  'a part of a prediction into a time': [
    scored(`features: (row) => [row.delay], into: { when: 0 }`),
    /'when' does not exist/,
  ],
  'a reason into a number': [
    scored(`features: (row) => [row.delay], into: 'risk', reasonInto: 'count'`),
    /Type '"count"' is not assignable/,
  ],
  'a model version into a field that may not be null': [
    scored(`features: (row) => [row.delay], into: 'risk', modelVersionInto: 'id'`),
    /Type '"id"' is not assignable/,
  ],
  'features by their names, in CSV': [
    scored(`features: (row) => ({ delay: row.delay }), into: 'risk'`),
    /is not assignable to type 'ScoreDeclaration/,
  ],
  'a time as a feature': [scored(`features: (row) => [row.when], into: 'risk'`), /'Date' is not assignable/],
  'an unknown option of a score': [
    scored(`features: (row) => [row.delay], into: 'risk', retries: 3`),
    /'retries' does not exist/,
  ],
  'a job of two services': [
    withJob(`{ glue: 'a', emrStep: { cluster: 'j-1', script: 's' }, when: { rows: 1 } }`),
    /not assignable/,
  ],
  'a job of no service': [withJob(`{ when: { rows: 1 } }`), /not assignable/],
  'a job with two occasions': [withJob(`{ glue: 'a', when: { rows: 1, every: '1 day' } }`), /not assignable/],
  'a job without an occasion': [withJob(`{ glue: 'a' }`), /'when' is missing|not assignable/],
  'a length of time without a unit': [withJob(`{ glue: 'a', when: { every: 10 } }`), /not assignable/],
  'a length of time in weeks': [withJob(`{ glue: 'a', when: { every: '1 week' } }`), /not assignable/],
  'an unknown policy for late rows': [
    withJob(`{ glue: 'a', when: { partitionComplete: '1 hour' }, late: 'again' }`),
    /not assignable/,
  ],
  'an unknown option of a job': [
    withJob(`{ glue: 'a', when: { rows: 1 }, retry: 1 }`),
    /not assignable|does not exist/,
  ],
  'a missing field': [
    define(`transform: ({ value: e }) => ({ id: e.id, at: new Date(e.time) })`),
    /'delay' is missing/,
  ],
  'a missing field in an array': [
    define(`transform: ({ value: e }) => [{ id: e.id, at: new Date(e.time) }]`),
    /'delay' is missing/,
  ],
  'a missing field in one branch': [
    define(`transform: ({ value: e }) => (e.delay === 0 ? row(e) : { id: e.id, at: new Date(e.time) })`),
    /'delay' is missing/,
  ],
  'a missing nested field': [
    define(`row: Nested, transform: ({ value: e }) => ({ kind: 'a', place: { city: e.id }, values: [] })`),
    /'zip' is missing/,
  ],
  'an extra field': [define(`transform: ({ value }) => ({ ...row(value), extra: 1 })`), /UnknownRowField<"extra">/],
  'an extra field in an array': [
    define(`transform: ({ value }) => [{ ...row(value), extra: 1 }]`),
    /UnknownRowField<"extra">/,
  ],
  'an extra field in what map makes': [
    define(`transform: ({ value }) => [1].map((extra) => ({ ...row(value), extra }))`),
    /UnknownRowField<"extra">/,
  ],
  'an extra field beside null': [
    define(`transform: ({ value }) => (value.delay === 0 ? null : { ...row(value), extra: 1 })`),
    /UnknownRowField<"extra">/,
  ],
  'an extra field in one branch': [
    define(`transform: ({ value }) => (value.delay === 0 ? row(value) : { ...row(value), extra: 1 })`),
    /UnknownRowField<"extra">/,
  ],
  'an extra field in the array branch': [
    define(
      `transform: ({ value }) => { if (value.delay === 0) return row(value); return [{ ...row(value), extra: 1 }] }`,
    ),
    /UnknownRowField</,
  ],
  'an extra field of a function from elsewhere': [
    `const transform = ({ value }: { value: z.output<typeof Event> }) => ({ ...row(value), extra: 1 }); ${define('transform')}`,
    /UnknownRowField<"extra">/,
  ],
  'an extra nested field': [
    define(
      `row: Nested, transform: ({ value: e }) => ({ kind: 'a', place: { city: e.id, zip: null, street: 'y' }, values: [] })`,
    ),
    /UnknownRowField<"place.street">/,
  ],
  'an extra field in a nested array': [
    define(`row: Nested, transform: ({ value: e }) => ({ kind: 'a', place: null, values: [{ n: 1, m: e.delay }] })`),
    /UnknownRowField<"values.m">/,
  ],
  'a field of another type': [
    define(`transform: ({ value }) => ({ ...row(value), id: 1 })`),
    /'number' is not assignable/,
  ],
  'null where a field is not nullable': [
    define(`transform: ({ value }) => ({ ...row(value), id: null })`),
    /'null' is not assignable/,
  ],
  'a value that the enum has not': [
    define(`row: Nested, transform: ({ value: e }) => ({ kind: 'c', place: null, values: [], note: e.id })`),
    /'"c"' is not assignable to type '"a" \| "b"'/,
  ],
  'a field that the event has not': [
    define(`transform: ({ value }) => ({ ...row(value), id: value.name })`),
    /Property 'name' does not exist/,
  ],
  'an event field of another type': [
    define(`transform: ({ value }) => ({ ...row(value), at: value.time })`),
    /'string' is not assignable to type 'Date'/,
  ],
  'a part that the record has not': [
    define(`transform: ({ value, record }) => ({ ...row(value), id: record.message })`),
    /Property 'message' does not exist/,
  ],
  undefined: [define(`transform: () => undefined`), /'undefined' is not assignable/],
  'null in an array': [define(`transform: ({ value }) => [row(value), null]`), /'null' is not assignable/],
  'a promise': [define(`transform: async ({ value }) => row(value)`), /'Promise</],
  'day of a string': [partitioned(`{ code: 'day' }`), /'"day"' is not assignable/],
  'hour of a string': [partitioned(`{ code: 'hour' }`), /'"hour"' is not assignable/],
  'year of an enum': [partitioned(`{ kind: 'year' }`), /'"year"' is not assignable/],
  'day of a number': [partitioned(`{ n: 'day' }`), /'"day"' is not assignable/],
  'hour of a text that is a date': [partitioned(`{ on: 'hour' }`), /'"hour"' is not assignable/],
  'truncation of a date': [partitioned(`{ at: { truncate: 4 } }`), /'truncate' does not exist/],
  'truncation of a boolean': [partitioned(`{ flag: { truncate: 4 } }`), /does not exist in type 'readonly "identity"/],
  'buckets of a boolean': [partitioned(`{ flag: { bucket: 4 } }`), /does not exist in type 'readonly "identity"/],
  'buckets by a text': [partitioned(`{ code: { bucket: '4' } }`), /'string' is not assignable to type 'number'/],
  'one wrong transform beside a right one': [partitioned(`{ code: ['identity', 'day'] }`), /'"day"' is not assignable/],
  'an unknown transform of a partition': [partitioned(`{ at: 'fortnight' }`), /'"fortnight"' is not assignable/],
  'an unknown transform with a parameter': [partitioned(`{ n: { modulo: 4 } }`), /'modulo' does not exist/],
  'a partition field that the row has not': [partitioned(`{ name: 'identity' }`), /'name' does not exist/],
  'a partition field that is a list': [partitioned(`{ tags: 'identity' }`), /'tags' does not exist/],
  'a partition field that is a struct': [
    define(`row: Nested, lake: { table: 't', partitionBy: { place: 'identity' } }, transform: () => null`),
    /'place' does not exist/,
  ],
  'an unknown option': [define(`transform: () => null, retries: 3`), /'retries' does not exist/],
  'an unknown option of the lake': [
    define(`lake: { table: 't', partitionedBy: {} }, transform: () => null`),
    /'partitionedBy' does not exist/,
  ],
  'no table': [define(`lake: {}, transform: () => null`), /'table' is missing/],
  'an unknown option of the trigger': [triggered(`{ batch: 5 }`), /'batch' does not exist/],
  'an unknown mode': [triggered(`{ mode: 'fast' }`), /'"fast"' is not assignable/],
  'a starting position as text': [triggered(`{ startingPosition: '2026-01-31' }`), /'"2026-01-31"' is not assignable/],
  ...Object.fromEntries(
    [
      'maximumRetryAttempts: 1',
      'maximumRecordAgeSeconds: 60',
      'bisectBatchOnError: true',
      'partialResponses: true',
    ].map((option) => [`${option} on demand`, [triggered(`{ ${option} }`), /'mode' is missing/]] as const),
  ),
  'pollers on demand': [
    triggered(`{ mode: 'on-demand', pollers: { minimum: 1 } }`),
    /is not assignable to type 'undefined'/,
  ],
  'a filter on the key': [triggered(`{ filters: [{ key: ['x'] }] }`), /'key' does not exist/],
  'an unknown rule of a filter': [
    triggered(`{ filters: [{ value: { a: [{ wildcard: 'x' }] } }] }`),
    /'string' is not assignable to type 'readonly ValuePattern\[\] \| readonly FilterRule\[\] \| ValuePattern'/,
  ],
  'no transform': ['definePipeline(base)', /'transform' is missing/],
  'a row that is no object': [define(`row: z.string(), transform: () => null`), /'ZodString' is missing/],
}

/** Compiles each declaration as a file of its own, in one run. @returns what the compiler says of each, '' when nothing */
async function compile(declarations: readonly string[]): Promise<string[]> {
  const sources = declarations.map((declaration) => `${PRELUDE}export { Nested, row }\n${declaration}\n`)
  const files = {
    'declarations.json': JSON.stringify({
      extends: './tsconfig.json',
      include: ['declaration-*.ts'],
      compilerOptions: { noUnusedLocals: false },
    }),
    ...Object.fromEntries(sources.map((source, i) => [`declaration-${i}.ts`, source])),
  }
  const project = { copies: ['package.json', 'tsconfig.json'], links: ['node_modules', 'shared'], files }
  const output = await runInTemporaryProject(project, 'typescript/bin/tsc', [
    '-p',
    'declarations.json',
    '--pretty',
    'false',
  ])
  const said = declarations.map(() => '')
  let current = -1
  for (const line of output.split('\n')) {
    const at = /^declaration-(\d+)\.ts\(/.exec(line)
    if (at !== null) current = Number(at[1])
    else if (/^\S/.test(line)) throw new Error(`the compiler says: ${line}`)
    if (line !== '') said[current] += `${line}\n`
  }
  return said
}

const NAMES = [...Object.keys(ACCEPTED), ...Object.keys(REJECTED)]
let said: Map<string, string>
beforeAll(async () => {
  const declarations = [...Object.values(ACCEPTED), ...Object.values(REJECTED).map(([declaration]) => declaration)]
  const results = await compile(declarations)
  said = new Map(NAMES.map((name, i) => [name, results[i] ?? '']))
}, 60_000)

test('the names of the declarations differ', () => {
  expect(new Set(NAMES).size).toBe(NAMES.length)
})

test.each(Object.keys(ACCEPTED))('the compiler accepts %s', (name) => {
  expect(said.get(name)).toBe('')
})

test.each(Object.entries(REJECTED))('the compiler refuses %s', (name, [, message]) => {
  expect(said.get(name)).toMatch(message)
})
