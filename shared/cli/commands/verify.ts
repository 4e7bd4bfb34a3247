import process from 'node:process'
import type { Command } from 'commander'
import { examples, print, withLake } from './options.ts'

export function addVerify(program: Command): void {
  withLake(
    program
      .command('verify')
      .description(
        'check the commit logs of a lake against themselves and its data files; exit code 1 if anything is wrong',
      ),
  )
    .option('--deep', 'read every data file, compare its checksum and count its rows')
    .option('--json', 'print the proof as JSON')
    .addHelpText('after', examples('verify --deep --lake .lake'))
    .action(async (options: { lake: string; deep?: true; json?: true }) => {
      const { verificationText, verifyWithProgress } = await import('#shared/cli/verification.ts')
      const verification = await verifyWithProgress(options.lake, options.deep ?? false)
      print(options.json ? JSON.stringify(verification) : verificationText(verification, options.lake))
      if (verification.faults.length > 0) process.exitCode = 1
    })
}
