import { readFileSync } from 'node:fs'
import { cp, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { projectRoot } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { handlerSource, writePipelineLists } from '../../../infra/pipeline-lists.ts'
import { pipelineImports } from '../../../infra/derived.ts'

const directory = temporaryDirectory()
const handler = (folder: string, name: string) => path.join(folder, name, 'handler.ts')

test('the handlers of this project are what they would be written as', async () => {
  const functions = path.join(projectRoot, 'functions')
  const imports = await pipelineImports()
  for (const name of ['committer', 'redrive', 'jobs', 'rescore'])
    expect(readFileSync(handler(functions, name), 'utf8')).toBe(handlerSource(`${name}Handler`, name, imports))
})

test('a folder that has come is in all of them, and nothing is written twice', async () => {
  for (const name of ['committer', 'redrive', 'jobs', 'rescore']) {
    await mkdir(path.join(directory(), name))
    await cp(handler(path.join(projectRoot, 'functions'), name), handler(directory(), name))
  }
  const imports = [
    { folder: 'clicks', exported: 'clicks' },
    { folder: 'flights', exported: 'flights' },
  ]
  expect(writePipelineLists(directory(), imports)).toEqual(
    ['committer', 'redrive', 'jobs', 'rescore'].map((name) => handler(directory(), name)),
  )
  expect(await readFile(handler(directory(), 'redrive'), 'utf8')).toBe(
    `import { clicks } from '#functions/clicks/pipeline.ts'
import { flights } from '#functions/flights/pipeline.ts'
import { redriveHandler } from '#shared/runtimes/redrive.ts'

export const handler = redriveHandler([clicks, flights])
`,
  )
  expect(writePipelineLists(directory(), imports)).toEqual([])
})

test('copies of a pipeline export one name: they go by their folders', () => {
  const imports = ['late-flights', 'flights'].map((folder) => ({ folder, exported: 'flights' }))
  const source = handlerSource('committerHandler', 'committer', imports)
  expect(source).toContain("import { flights as lateFlights } from '#functions/late-flights/pipeline.ts'\n")
  expect(source).toContain("import { flights } from '#functions/flights/pipeline.ts'\n")
  expect(source).toContain('committerHandler([lateFlights, flights])')
})

test('a long list has a line for each, as the formatter has it', () => {
  const imports = Array.from({ length: 20 }, (_, n) => ({ folder: `departures${n}`, exported: `departures${n}` }))
  expect(handlerSource('committerHandler', 'committer', imports)).toMatch(
    /committerHandler\(\[\n {2}departures0,\n {2}departures1,\n[^]* {2}departures19,\n\]\)\n$/,
  )
})
