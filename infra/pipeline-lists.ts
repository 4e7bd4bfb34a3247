import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** A pipeline as a handler imports it. */
export interface PipelineImport {
  readonly folder: string
  /** The name that its pipeline.ts exports it under. */
  readonly exported: string
}

/** Functions that work for all pipelines: folder → what makes the handler, and its file in shared/runtimes. */
const FOR_ALL = {
  committer: { maker: 'committerHandler', runtime: 'committer' },
  redrive: { maker: 'redriveHandler', runtime: 'redrive' },
  jobs: { maker: 'jobsHandler', runtime: 'jobs' },
  rescore: { maker: 'rescoreHandler', runtime: 'rescore' },
} as const

const LINE_WIDTH = 120

/**
 * Gives every pipeline of functions/ to the functions that work for all of them. A bundle holds what is imported by name, so
 * that the names stand in their handlers; they are written anew when a folder has come or gone, and committed with it.
 * @param functions the folder
 * @returns the files that have changed
 */
export function writePipelineLists(functions: string, pipelines: readonly PipelineImport[]): readonly string[] {
  return Object.entries(FOR_ALL).flatMap(([name, { maker, runtime }]) => {
    const file = path.join(functions, name, 'handler.ts')
    const source = handlerSource(maker, runtime, pipelines)
    if (existsSync(file) && readFileSync(file, 'utf8') === source) return []
    writeFileSync(file, source)
    return [file]
  })
}

/** A handler for all pipelines, as the formatter has it. */
export function handlerSource(maker: string, runtime: string, pipelines: readonly PipelineImport[]): string {
  const names = pipelines.map((pipeline) => localName(pipeline, pipelines))
  const imports = pipelines.map(({ folder, exported }, i) => {
    const name = names[i] === exported ? exported : `${exported} as ${names[i]}`
    return `import { ${name} } from '#functions/${folder}/pipeline.ts'`
  })
  const list = `export const handler = ${maker}([${names.join(', ')}])`
  const call =
    list.length <= LINE_WIDTH ? list : list.replace('[', '[\n  ').replace('])', ',\n])').replaceAll(', ', ',\n  ')
  return `${[...imports, `import { ${maker} } from '#shared/runtimes/${runtime}.ts'`, '', call].join('\n')}\n`
}

/** The exported name where it is the only one of its kind, else that of the folder: `late-flights` → `lateFlights`. */
function localName({ folder, exported }: PipelineImport, all: readonly PipelineImport[]): string {
  if (all.filter((each) => each.exported === exported).length === 1) return exported
  return folder.replaceAll(/-+(?<letter>.)/g, (_, letter: string) => letter.toUpperCase())
}
