import type { Command } from 'commander'
import { UsageError } from '#shared/cli/failure.ts'
import { examples, print } from './options.ts'

/** Stands for a lake that is not known: in no region is there a bucket with capitals. */
const SOME_LAKE = 's3://BUCKET/PREFIX'

export function addDescribe(program: Command): void {
  program
    .command('describe')
    .description(
      'show what a pipeline means for producers and readers: contracts, column types, partitions, policies, limits, and the DDL for Athena',
    )
    .argument('<pipeline>', 'its name, or the file that defines it')
    .option('--lake-url <url>', 'the lake that the DDL is for: s3://bucket/prefix', SOME_LAKE)
    .option('--json', 'print it as JSON, the event contract as JSON Schema')
    .addHelpText('after', examples('describe flights --lake-url s3://my-lake/prod'))
    .action(async (name: string, { lakeUrl, json }: { lakeUrl: string; json?: true }) => {
      if (!/^s3:\/\/[^/'\s]+(\/[^'\s]*)?$/.test(lakeUrl))
        throw new UsageError(`Athena reads S3 only: expected s3://bucket/prefix, found ${lakeUrl}`)
      const [{ describePipeline }, { describePage }, { loadPipeline }] = await Promise.all([
        import('#shared/cli/describe.ts'),
        import('#shared/cli/describe-page.ts'),
        import('#shared/cli/pipelines.ts'),
      ])
      const description = describePipeline(await loadPipeline(name), lakeUrl)
      print(json ? JSON.stringify(description) : describePage(description))
    })
}
