#!/usr/bin/env node
import process from 'node:process'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { openStore } from '#shared/lake/open-store.ts'
import { describeFailure, exitCodeOf } from './failure.ts'
import { loadPipeline } from './pipelines.ts'
import { runPipeline, type RunOptions, summaryTable } from './run.ts'
import { answerSql } from './sql.ts'
import { textTable } from './text-table.ts'
import { verificationText, verifyWithProgress } from './verification.ts'

const MAX_PRINTED_ROWS = 200

const program = new Command('inlet')
  .description('Kafka events into a data lake that people can trust.')
  .showHelpAfterError('(--help shows how to call it)')
  .exitOverride()

program
  .command('run')
  .description('run a pipeline over files of events, through its Lambda handler, into a lake')
  .argument('<pipeline>', 'its name, or the file that defines it')
  .requiredOption(
    '--events <files...>',
    'MSK events (.json), or record values, one a line (.ndjson, .ndjson.gz; - is standard input)',
  )
  .requiredOption('--lake <url>', 'the lake: file: and a directory')
  .option('--partitions <n>', 'Kafka partitions that the lines of a file of values are spread over', atLeastOne, 3)
  .option('--batch <n>', 'records of an invocation made from a file of values', atLeastOne, 3000)
  .option('--json', 'print the summary as JSON')
  .action(async (name: string, options: RunOptions & { json?: true }) => {
    const summary = await runPipeline(await loadPipeline(name), options)
    print(options.json ? JSON.stringify(summary) : summaryTable(summary))
  })

program
  .command('query')
  .description("answer SQL (DuckDB's) over a lake's tables; only committed files are read")
  .argument('<sql>', 'as "SELECT count(*) FROM flights"')
  .requiredOption('--lake <url>', 'the lake: file: and a directory')
  .option('--json', 'print an array of objects')
  .action(async (sql: string, options: { lake: string; json?: true }) => {
    const { columns, rows } = await answerSql(sql, openStore(options.lake))
    if (options.json) {
      print(JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])))))
      return
    }
    print(textTable(columns, rows.slice(0, MAX_PRINTED_ROWS)))
    if (rows.length > MAX_PRINTED_ROWS) print(`… and ${rows.length - MAX_PRINTED_ROWS} more rows; --json prints all`)
  })

program
  .command('verify')
  .description(
    'check the commit logs of a lake against themselves and its data files; exit code 1 if anything is wrong',
  )
  .requiredOption('--lake <url>', 'the lake: file: and a directory')
  .option('--deep', 'read every data file, compare its checksum and count its rows', false)
  .option('--json', 'print the proof as JSON')
  .action(async (options: { lake: string; deep: boolean; json?: true }) => {
    const verification = await verifyWithProgress(options.lake, options.deep)
    print(options.json ? JSON.stringify(verification) : verificationText(verification, options.lake))
    if (verification.faults.length > 0) process.exitCode = 1
  })

function atLeastOne(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number from 1.')
  return value
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; asking for help is no mistake.
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else {
    process.stderr.write(`inlet: ${describeFailure(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
