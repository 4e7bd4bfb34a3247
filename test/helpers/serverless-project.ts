import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { projectRoot } from './command.ts'

/** Far longer than any takes: what hangs is ended, and has no status. */
const COMMAND_TIMEOUT_MS = 300_000

export interface ServerlessResult {
  readonly status: number | null
  readonly stdout: string
  /** To people: both outputs. */
  readonly said: string
}

/** A copy of this project, to be changed and packaged. */
export class ServerlessProject {
  readonly root: string

  /** @param root an empty folder */
  constructor(root: string) {
    this.root = root
    for (const folder of ['functions', 'infra', 'shared']) this.add(folder)
    for (const file of ['package.json', 'serverless.yml', 'tsconfig.json'])
      cpSync(path.join(projectRoot, file), path.join(root, file))
    symlinkSync(path.join(projectRoot, 'node_modules'), path.join(root, 'node_modules'))
  }

  /** Adds a folder of this project. */
  add(folder: string): void {
    cpSync(path.join(projectRoot, folder), path.join(this.root, folder), { recursive: true })
  }

  /** Changes a file by a replacement that must have an effect. */
  edit(file: string, from: string, to: string): void {
    const text = readFileSync(path.join(this.root, file), 'utf8')
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
    writeFileSync(path.join(this.root, file), text.replaceAll(from, to))
  }

  /** Adds a pipeline like `flights`, with topic and table of its own. @param options of its declaration, as text */
  addPipeline(name: string, options = ''): void {
    const folder = `functions/${name}`
    mkdirSync(path.join(this.root, folder))
    cpSync(path.join(this.root, 'functions/flights'), path.join(this.root, folder), { recursive: true })
    for (const [what, value] of [
      ['name', name],
      ['topic', name],
      ['table', name.replaceAll('-', '_')],
    ])
      this.edit(`${folder}/pipeline.ts`, `${what}: 'flights'`, `${what}: '${value}'`)
    this.edit(`${folder}/pipeline.ts`, 'event: Flight,', `event: Flight, ${options}`)
  }

  /** `serverless package`, without credentials. @returns the template's file, and what was said */
  package(...args: string[]): ServerlessResult & { readonly template: string } {
    const folder = path.join(this.root, '.package')
    const result = this.serverless(['package', '--package', folder, ...args])
    return { ...result, template: path.join(folder, 'cloudformation-template-update-stack.json') }
  }

  /** A command of the copy's own. */
  inlet(...args: string[]): ServerlessResult {
    const options = { cwd: this.root, env: { ...process.env, NODE_OPTIONS: '' }, encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync(process.execPath, ['shared/cli/inlet.ts', ...args], options)
    return { status, stdout, said: `${stdout}${stderr}` }
  }

  /**
   * A command of the Serverless Framework.
   * @param environment what it is told besides what has nothing to do with AWS or a lake
   */
  serverless(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ServerlessResult {
    const binaries = path.join(projectRoot, 'node_modules/.bin')
    const kept = Object.entries(process.env).filter(([name]) => !/^(?:AWS_|LAKE_)/.test(name))
    const env = {
      ...Object.fromEntries(kept),
      NODE_OPTIONS: '',
      PATH: `${binaries}${path.delimiter}${process.env['PATH']}`,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...environment,
    }
    const options = { cwd: this.root, env, encoding: 'utf8', timeout: COMMAND_TIMEOUT_MS } as const
    const { status, stdout, stderr } = spawnSync(path.join(binaries, 'serverless'), args, options)
    return { status, stdout, said: `${stdout}${stderr}` }
  }
}
