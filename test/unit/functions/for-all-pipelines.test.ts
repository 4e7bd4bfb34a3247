import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pipelineFiles } from '#shared/cli/pipelines.ts'
import { projectRoot } from '#test/helpers/command.ts'

/** Functions that work for all pipelines: their bundles hold only what is imported by name. */
const HANDLERS = {
  redrive: 'redriveHandler',
  committer: 'committerHandler',
  jobs: 'jobsHandler',
  rescore: 'rescoreHandler',
}

test.each(Object.entries(HANDLERS))('functions/%s is given every pipeline of functions/', async (folder, maker) => {
  const source = await readFile(path.join(projectRoot, `functions/${folder}/handler.ts`), 'utf8')
  const imports = source.matchAll(/^import \{ (?<name>\w+) \} from '#functions\/(?<folder>[^/]+)\/pipeline\.ts'$/gm)
  const imported = [...imports].map(({ groups }) => [groups?.['folder'], groups?.['name']] as const)
  expect(new Set(imported.map(([from]) => from))).toEqual(new Set(pipelineFiles().keys()))
  const [, given = ''] = new RegExp(`${maker}\\(\\[([^\\]]*)\\]\\)`).exec(source) ?? []
  expect(new Set(given.split(/,\s*/).filter(Boolean))).toEqual(new Set(imported.map(([, name]) => name)))
})

test('they load without an environment', async () => {
  const loaded = await Promise.all([
    import('#functions/redrive/handler.ts'),
    import('#functions/committer/handler.ts'),
    import('#functions/jobs/handler.ts'),
    import('#functions/rescore/handler.ts'),
    import('#functions/flights/handler.ts'),
  ])
  for (const { handler } of loaded) expect(handler).toBeInstanceOf(Function)
})
