import { runInTemporaryProject } from '#test/helpers/temporary-project.ts'

const IMPORTS = 'eslint(no-restricted-imports)'
const GLOBALS = 'eslint(no-restricted-globals)'
const PROPERTIES = 'eslint(no-restricted-properties)'
const CLOCK = 'inlet(no-clock)'

/** Files of one folder, and the one rule that refuses each of them; null when they must pass. */
interface Group {
  readonly title: string
  readonly rule: string | null
  /** What a file says → the file. */
  readonly files: Readonly<Record<string, { readonly file: string; readonly source: string }>>
}

const CORE = ['shared/pipeline', 'shared/codecs', 'shared/formats']
const LAYERS: Record<string, { own: string[]; others: string[] }> = {
  'shared/sources': { own: ['node:fs/promises', 'aws-lambda'], others: ['#shared/lake/x.ts', '@aws-sdk/client-s3'] },
  'shared/lake': {
    own: ['node:fs', '@aws-sdk/client-s3', '@aws-sdk/client-glue', 'avsc'],
    others: ['#shared/sources/x.ts', '@aws-sdk/client-emr'],
  },
  'shared/trigger': { own: ['node:buffer', 'zod'], others: ['#shared/lake/x.ts', 'node:fs', 'p-map'] },
  'shared/scoring': { own: ['@aws-sdk/client-sagemaker-runtime'], others: ['#shared/jobs/x.ts', '@aws-sdk/client-s3'] },
  'shared/jobs': { own: ['@aws-sdk/client-emr-serverless'], others: ['#shared/scoring/x.ts', '@aws-sdk/client-s3'] },
}
const OUTER = ['shared/runtimes', 'shared/cli']

let sequence = 0

function imports(rule: string | null, folder: string, specifiers: readonly string[]): Group {
  const sources = specifiers.map((specifier) => [specifier, `export { x } from '${specifier}'`] as const)
  return group(`${folder} ${rule === null ? 'may import' : 'may not import'}`, rule, folder, sources)
}

function uses(rule: string | null, folder: string, expressions: readonly string[]): Group {
  const sources = expressions.map((expression) => [expression, `export const x: unknown = ${expression}`] as const)
  return group(`${folder} ${rule === null ? 'may use' : 'may not use'}`, rule, folder, sources)
}

/** A pipeline or a handler has a fixed name: each gets a function of its own. */
function functionImports(rule: string | null, name: string, specifiers: readonly string[]): Group {
  const title = `a function's ${name} ${rule === null ? 'may import' : 'may not import'}`
  const entries = specifiers.map((specifier) => {
    const file = `functions/f${sequence++}/${name}`
    return [specifier, { file, source: `export { x } from '${specifier}'\n` }] as const
  })
  return { title, rule, files: Object.fromEntries(entries) }
}

function group(
  title: string,
  rule: string | null,
  folder: string,
  sources: readonly (readonly [string, string])[],
): Group {
  const entries = sources.map(
    ([what, source]) => [what, { file: `${folder}/f${sequence++}.ts`, source: `${source}\n` }] as const,
  )
  return { title, rule, files: Object.fromEntries(entries) }
}

const IMPORT_RULES: Group[] = [
  ...CORE.flatMap((folder) => [
    imports(null, folder, [
      './x.ts',
      './deep/x.ts',
      ...CORE.map((other) => `#${other}/x.ts`),
      'zod',
      'p-map',
      'node:zlib',
    ]),
    imports(IMPORTS, folder, [
      '../lake/x.ts',
      '../pipeline/x.ts',
      './../lake/x.ts',
      '#shared/pipeline/../lake/x.ts',
      '#shared/lake/x.ts',
      '#shared/sources/x.ts',
      '#shared/scoring/x.ts',
      '#shared/jobs/x.ts',
      '#shared/runtimes/x.ts',
      '#shared/cli/x.ts',
      '#functions/flights/pipeline.ts',
      '#test/x.ts',
      'node:fs',
      'node:fs/promises',
      'fs',
      'node:process',
      'node:timers/promises',
      '@aws-sdk/client-s3',
      '@middy/core',
      'zodiac',
    ]),
  ]),
  group('the core may read Parquet, and may hash', null, 'shared/formats', [
    ['hyparquet', `export { parquetMetadata } from 'hyparquet'`],
    ['hashes', `export { createHash } from 'node:crypto'`],
  ]),
  group('the core may not, in any form,', IMPORTS, 'shared/pipeline', [
    ['make random ids', `export { randomUUID } from 'node:crypto'`],
    ['take all of a module', `export * from '#shared/lake/x.ts'`],
    ['take a type', `export type { X } from '#shared/lake/x.ts'`],
    ['import for an effect', `import '#shared/lake/x.ts'`],
    ['import dynamically', `export const fs: unknown = await import('node:fs')`],
  ]),
  ...Object.entries(LAYERS).flatMap(([folder, { own, others }]) => [
    imports(null, folder, [
      ...own,
      ...[...CORE, folder].map((other) => `#${other}/x.ts`),
      './x.ts',
      './deep/x.ts',
      'zod',
    ]),
    imports(IMPORTS, folder, [
      ...others,
      '../pipeline/x.ts',
      '../runtimes/x.ts',
      './../runtimes/x.ts',
      '#shared/runtimes/x.ts',
      '#shared/cli/x.ts',
      '#shared/config.ts',
      '#functions/flights/pipeline.ts',
      'node:process',
      'node:perf_hooks',
      'node:timers/promises',
      '@middy/core',
    ]),
  ]),
  imports(null, 'shared', ['zod', 'node:path', ...CORE.map((other) => `#${other}/x.ts`)]),
  imports(IMPORTS, 'shared', [
    '#shared/lake/x.ts',
    '#shared/runtimes/x.ts',
    'node:process',
    '@middy/core',
    '../infra/x.ts',
  ]),
  ...OUTER.flatMap((folder) => [
    imports(null, folder, [
      '@middy/core',
      'node:process',
      '#shared/lake/x.ts',
      '#shared/sources/x.ts',
      '#shared/config.ts',
    ]),
    imports(IMPORTS, folder, ['../lake/x.ts', '#functions/flights/pipeline.ts', '#test/x.ts']),
  ]),
  functionImports(null, 'pipeline.ts', ['zod', '#shared/pipeline/pipeline.ts', './features.ts']),
  functionImports(IMPORTS, 'features.ts', ['#shared/lake/lake.ts', 'node:fs', '../other/pipeline.ts']),
  functionImports(IMPORTS, 'pipeline.ts', [
    '../other/pipeline.ts',
    './../other/pipeline.ts',
    '#shared/codecs/json.ts',
    '#shared/lake/lake.ts',
    '#shared/runtimes/lambda.ts',
    'node:crypto',
    '@aws-sdk/client-s3',
  ]),
  functionImports(null, 'handler.ts', ['./pipeline.ts', '#shared/runtimes/lambda.ts']),
  functionImports(IMPORTS, 'handler.ts', [
    '../other/pipeline.ts',
    '#shared/pipeline/process-batch.ts',
    '#shared/lake/lake.ts',
    '@middy/core',
    'zod',
  ]),
]

const PURITY_RULES: Group[] = [
  ...[...CORE, 'shared/trigger', 'functions/flights', 'shared'].flatMap((folder) => [
    uses(GLOBALS, folder, ['process.env', 'globalThis.process', 'performance.now()', 'setTimeout', 'fetch', 'crypto']),
    uses(PROPERTIES, folder, ['Date.now()', 'Math.random()', 'AbortSignal.timeout(1)']),
    uses(CLOCK, folder, ['new Date()']),
    uses(null, folder, ['new Date(0)', 'Math.floor(1.5)', 'Date.UTC(2013, 0)', 'new AbortController().signal']),
  ]),
  ...Object.keys(LAYERS).flatMap((folder) => [
    uses(GLOBALS, folder, ['process.env', 'performance.now()']),
    uses(PROPERTIES, folder, ['Date.now()']),
    uses(CLOCK, folder, ['new Date()']),
    uses(null, folder, ['new Date(0)']),
  ]),
  ...OUTER.map((folder) =>
    uses(null, folder, ['process.env', 'Date.now()', 'new Date()', 'await import(process.title)']),
  ),
  uses('import(no-dynamic-require)', 'shared/lake', ['await import(process.title)']),
  ...[...CORE, ...Object.keys(LAYERS), 'functions/flights'].map((folder) =>
    uses('eslint(no-console)', folder, [`console.log('x')`]),
  ),
]

const one = (title: string, rule: string, source: string): Group =>
  group(title, rule, 'shared/lake', [['this', source]])

const OTHER_RULES: Group[] = [
  {
    title: 'a cycle, also through #, is refused',
    rule: 'import(no-cycle)',
    files: {
      hen: {
        file: 'shared/lake/hen.ts',
        source: `import { egg } from './egg.ts'\nexport const hen = (): string => egg()\n`,
      },
      egg: {
        file: 'shared/lake/egg.ts',
        source: `import { hen } from '#shared/lake/hen.ts'\nexport const egg = (): string => hen()\n`,
      },
    },
  },
  one(
    'a promise that nobody waits for is refused',
    'typescript(no-floating-promises)',
    'export function start(work: () => Promise<void>): void {\n  work()\n}',
  ),
  one(
    'a promise where none is expected is refused',
    'typescript(no-misused-promises)',
    'export const all = (items: string[], work: (item: string) => Promise<void>): void => items.forEach(work)',
  ),
  one(
    'await of what is no promise is refused',
    'typescript(await-thenable)',
    'export async function run(work: () => string): Promise<void> {\n  await work()\n}',
  ),
  one(
    'any is refused',
    'typescript(no-explicit-any)',
    'export const is = (value: unknown): value is any => value !== null',
  ),
  one(
    'what is any because of others is refused',
    'typescript(no-unsafe-assignment)',
    `export const x: string = JSON.parse('1')`,
  ),
]

/** Lints all files in a project of their own that has our settings. @returns the rules that refuse each file */
async function lint(groups: readonly Group[]): Promise<Map<string, Set<string>>> {
  const files = groups.flatMap((each) => Object.values(each.files)).map(({ file, source }) => [file, source])
  const project = {
    copies: ['.oxlintrc.json', 'package.json', 'tsconfig.json', 'test/lint/clock-rule.ts'],
    links: ['node_modules'],
    files: Object.fromEntries(files) as Record<string, string>,
  }
  const args = ['--type-aware', '--format=json', 'shared', 'functions']
  const output = await runInTemporaryProject(project, 'oxlint/bin/oxlint', args)
  const { diagnostics } = JSON.parse(output) as { diagnostics: { filename: string; code: string }[] }
  const rules = new Map<string, Set<string>>()
  for (const { filename, code } of diagnostics) rules.set(filename, (rules.get(filename) ?? new Set()).add(code))
  return rules
}

let found: Map<string, Set<string>>
beforeAll(async () => {
  found = await lint([...IMPORT_RULES, ...PURITY_RULES, ...OTHER_RULES])
}, 60_000)

describe.each([
  ['imports', IMPORT_RULES],
  ['purity', PURITY_RULES],
  ['promises, types and cycles', OTHER_RULES],
])('%s', (_, groups) => {
  test.each(groups.map((each) => ({ ...each, list: Object.keys(each.files).join(', ') })))('$title: $list', (each) => {
    const verdicts = Object.entries(each.files).map(([what, { file }]) => {
      const rules = [...(found.get(file) ?? [])]
      return [what, each.rule === null ? rules : rules.filter((rule) => rule === each.rule)]
    })
    const expected = Object.keys(each.files).map((what) => [what, each.rule === null ? [] : [each.rule]])
    expect(Object.fromEntries(verdicts)).toEqual(Object.fromEntries(expected))
  })
})
