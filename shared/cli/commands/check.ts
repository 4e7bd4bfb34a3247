import process from 'node:process'
import type { Command } from 'commander'
import { examples, print } from './options.ts'

interface Options {
  readonly stage: string
  readonly against?: string
  readonly json?: true
}

export function addCheck(program: Command): void {
  program
    .command('check')
    .description(
      'say what speaks against deploying pipelines, why, and what to do instead; exit code 1 if anything does. Packaging asks the same',
    )
    .argument('[pipelines...]', 'their names, or the files that define them (default: all of functions/)')
    .option('--stage <name>', 'the stage of serverless.yml that they would be deployed to', 'dev')
    .option(
      '--against <template>',
      'what is deployed, or was packaged last, as JSON: changes that would replace a trigger, or that a table cannot follow, are found too',
    )
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      examples('check', 'check flights --against .serverless/cloudformation-template-update-stack.json'),
    )
    .action(async (names: readonly string[], { json, ...options }: Options) => {
      const { checkPage, checkPipelines } = await import('#infra/check.ts')
      const check = await checkPipelines(names, options)
      if (check.faults.length > 0) process.exitCode = 1
      print(json ? JSON.stringify(check) : checkPage(check))
    })
}
