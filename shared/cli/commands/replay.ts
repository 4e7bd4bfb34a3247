import type { Command } from 'commander'
import type { RunOptions } from '#shared/cli/run.ts'
import { atLeastOne, examples, print } from './options.ts'
import { requireOneStandardInput, withEvents } from './run.ts'

interface Options extends RunOptions {
  readonly generation?: number
  readonly json?: true
}

export function addReplay(program: Command): void {
  const replay = program
    .command('replay')
    .description(
      'run a pipeline over its events once more, into a new generation: with logs of its own and tables beside the old ones ' +
        '(flights, then flights_g1), which stay as they are',
    )
  withEvents(replay)
    .option('--generation <n>', 'go on with this generation, after a replay that was interrupted', atLeastOne)
    .addHelpText(
      'after',
      examples(
        'replay flights --events events/flights/2013-01.ndjson.gz --lake .lake',
        'replay flights --generation 1 --events events/flights/2013-01.ndjson.gz --lake .lake',
      ),
    )
    .action(async (name: string, { generation, json, ...options }: Options) => {
      const [{ loadPipeline }, { replayPage, replayPipeline }] = await Promise.all([
        import('#shared/cli/pipelines.ts'),
        import('#shared/cli/replay.ts'),
      ])
      requireOneStandardInput(options)
      const replayed = await replayPipeline(await loadPipeline(name), options, generation)
      print(json ? JSON.stringify(replayed) : replayPage(replayed))
    })
}
