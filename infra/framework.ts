import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import * as z from 'zod'
import { UsageError } from '#shared/cli/failure.ts'

const PROJECT = path.join(import.meta.dirname, '..')
const FRAMEWORK = path.join(PROJECT, 'node_modules/serverless/bin/serverless.js')
const NAME = /^[a-z][a-z0-9-]{0,30}$/

/** What serverless.yml says of a stage; of its own settings as infra/stage.ts has read them. */
const Stage = z.object({
  provider: z.object({ timeout: z.number(), memorySize: z.number() }),
  custom: z.object({
    settings: z.looseObject({ stack: z.string(), freshnessSeconds: z.number(), allowed: z.array(z.string()) }),
  }),
})
export type Stage = z.output<typeof Stage>

/**
 * Asks the Serverless Framework, which alone knows what its variables come to; it takes seconds, and needs neither
 * credentials nor a network.
 * @throws UsageError with its own words when serverless.yml or a pipeline of functions/ is wrong
 */
export async function readStage(stage: string): Promise<Stage> {
  requireStageName(stage)
  process.stderr.write(`Reading serverless.yml for the stage ${stage} …\n`)
  const args = [FRAMEWORK, 'print', '--format', 'json', '--stage', stage]
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { cwd: PROJECT, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else
        reject(
          new UsageError(
            `serverless.yml cannot be read for the stage ${stage}:\n${[stderr, stdout].join('\n').trim()}`,
          ),
        )
    })
  })
  return Stage.parse(JSON.parse(output))
}

/** The name of a stage's stack, which its functions' names begin with. */
export function stackOf(stage: string): string {
  requireStageName(stage)
  const service = /^service: *(?<name>[a-z0-9-]+) *$/m.exec(readFileSync(path.join(PROJECT, 'serverless.yml'), 'utf8'))
  return `${service?.groups?.['name'] ?? 'inlet'}-${stage}`
}

function requireStageName(stage: string): void {
  if (!NAME.test(stage))
    throw new UsageError(`--stage ${stage}: expected lower-case letters, digits and dashes, as dev or prod`)
}
