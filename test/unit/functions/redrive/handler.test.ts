import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pipelineFiles } from '#shared/cli/pipelines.ts'
import { projectRoot } from '#test/helpers/command.ts'

test('every pipeline of functions/ can be redriven', async () => {
  const source = await readFile(path.join(projectRoot, 'functions/redrive/handler.ts'), 'utf8')
  const imports = source.matchAll(/^import \{ (?<name>\w+) \} from '#functions\/(?<folder>[^/]+)\/pipeline\.ts'$/gm)
  const imported = [...imports].map(({ groups }) => [groups?.['folder'], groups?.['name']] as const)
  expect(new Set(imported.map(([folder]) => folder))).toEqual(new Set(pipelineFiles().keys()))
  const [, given = ''] = /redriveHandler\(\[([^\]]*)\]\)/.exec(source) ?? []
  expect(new Set(given.split(/,\s*/).filter(Boolean))).toEqual(new Set(imported.map(([, name]) => name)))
})

test('it loads, without an environment', async () => {
  const { handler } = await import('#functions/redrive/handler.ts')
  expect(handler).toBeInstanceOf(Function)
})
