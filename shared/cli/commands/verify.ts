import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import type { Command } from 'commander'
import { examples, print, withCatalog, withLake } from './options.ts'

export function addVerify(program: Command): void {
  const verify = withLake(
    program
      .command('verify')
      .description(
        'prove a lake: every offset of its logs is covered once, every data file is there, every record is counted, every table has what its logs brought it; exit code 1 if anything is wrong',
      ),
  )
  withCatalog(verify)
    .option('--deep', 'read every data file, too: compare its checksum, and trace each of its rows to its record')
    .option('--json', 'print the proof as JSON')
    .addHelpText('after', examples('verify --deep --lake .lake'))
    .action(async (options: { lake: string; catalog: string; deep?: true; json?: true }) => {
      // What is proven goes by and is garbage at once; where memory is plentiful, V8 lets 150 MB of it gather. It looks at
      // this flag whenever its heap might grow: set before anything is loaded, it saves most.
      setFlagsFromString('--optimize-for-size')
      const [{ verifyWithProgress }, { verificationPage }] = await Promise.all([
        import('#shared/cli/verification.ts'),
        import('#shared/cli/verification-page.ts'),
      ])
      const verification = await verifyWithProgress(options.lake, options.catalog, options.deep ?? false)
      print(options.json ? JSON.stringify(verification) : verificationPage(verification, options.lake))
      if (verification.faults.length > 0) process.exitCode = 1
    })
}
