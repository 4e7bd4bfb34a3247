import process from 'node:process'
import type { Command } from 'commander'
import type { Wish } from '#shared/cli/trigger-switch.ts'
import { atLeastOne, examples, print } from './options.ts'

interface Options {
  readonly stage: string
  readonly timeout: number
  readonly json?: true
}

const POLL_MS = 1000

export function addPause(program: Command): void {
  addSwitch(
    program,
    'pause',
    'stop the deliveries to a deployed pipeline, and wait until its trigger is disabled; it keeps its place in the topic, and a deployment does not resume it',
  )
}

export function addResume(program: Command): void {
  addSwitch(program, 'resume', 'let the trigger of a deployed pipeline deliver again, from where it was paused')
}

function addSwitch(program: Command, wish: Wish, description: string): void {
  program
    .command(wish)
    .description(description)
    .argument('<pipeline>', 'its name, or the file that defines it')
    .requiredOption('--stage <name>', 'the stage that it is deployed to')
    .option('--timeout <seconds>', 'how long to wait for it', atLeastOne, 300)
    .option('--json', 'print the triggers as JSON')
    .addHelpText('after', examples(`${wish} flights --stage dev`))
    .action(async (nameOrFile: string, { stage, timeout, json }: Options) => {
      const [{ loadPipeline }, { openFunctionTriggers }, { switchedPage, switchTriggers }] = await Promise.all([
        import('#shared/cli/pipelines.ts'),
        import('#shared/cli/lambda-triggers.ts'),
        import('#shared/cli/trigger-switch.ts'),
      ])
      const { stackOf } = await import('#infra/framework.ts')
      const { name } = await loadPipeline(nameOrFile)
      const functionName = `${stackOf(stage)}-${name}`
      const said = new Map<string, string>()
      const switched = await switchTriggers(openFunctionTriggers(), functionName, wish, {
        now: () => performance.now(),
        pollMs: POLL_MS,
        withinMs: timeout * 1000,
        onState: (id, state) => {
          if (said.get(id) !== state) process.stderr.write(`${id}: ${state} …\n`)
          said.set(id, state)
        },
      })
      print(
        json ? JSON.stringify({ function: functionName, triggers: switched }) : switchedPage(functionName, switched),
      )
    })
}
