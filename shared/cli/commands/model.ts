import process from 'node:process'
import type { Command } from 'commander'
import { examples, print, withCatalog } from './options.ts'

interface Options {
  readonly dir?: string
  readonly json?: true
}

interface TrainOptions extends Options {
  readonly events?: readonly string[]
  readonly lake?: string
  readonly catalog: string
}

const PIPELINE = 'flights'
const EVENTS = ['events/flights/2013-01.ndjson.gz']

export function addModel(program: Command): void {
  const group = program
    .command('model')
    .description('a model behind the scores of a pipeline: trained and served on this machine as in SageMaker')
  addTrain(group)
  addServe(group)
}

function addTrain(group: Command): void {
  const train = withModel(
    group
      .command('train')
      .description(
        'train the model of infra/sagemaker, and say how good it is on the last quarter of the days, which it has not seen. Needs Python 3.11; the first time it makes an environment with scikit-learn in .cache.',
      ),
  )
    .option('--lake <url>', 'learn from the table in this lake: a directory, or s3://bucket/prefix')
    .option('--events <files...>', `learn from files of events (default, without a lake: ${EVENTS[0]})`)
  withCatalog(train)
    .option('--json', 'print it as JSON')
    .addHelpText('after', examples('model train', 'model train flights --lake .lake'))
    .action(async (name: string, { dir = folderOf(name), lake, events, catalog, json }: TrainOptions) => {
      const [{ loadPipeline }, { modelDeclaration }, { examplesOfEvents, examplesOfLake }, training, page, failure] =
        await Promise.all([
          import('#shared/cli/pipelines.ts'),
          import('#shared/cli/model/declaration.ts'),
          import('#shared/cli/model/examples.ts'),
          import('#shared/cli/model/training.ts'),
          import('#shared/cli/model/training-page.ts'),
          import('#shared/cli/failure.ts'),
        ])
      if (lake !== undefined && events !== undefined) throw new failure.UsageError('--lake or --events, not both')
      const pipeline = await loadPipeline(name)
      const declaration = await modelDeclaration(pipeline.name)
      const { openLake } = await import('#shared/lake/open-lake.ts')
      const learned =
        lake === undefined
          ? await examplesOfEvents(pipeline, declaration, events ?? EVENTS)
          : await examplesOfLake(pipeline, declaration, openLake(lake), catalog)
      say(`${learned.rows} rows whose ${declaration.target} is known`)
      const trained = await training.trainModel(learned, dir, say)
      print(json ? JSON.stringify(trained) : page.trainingPage(trained))
    })
}

function addServe(group: Command): void {
  withModel(
    group
      .command('serve')
      .description(
        'answer as the SageMaker endpoint of the model would, on a free port of 127.0.0.1, until it is stopped (Ctrl-C or SIGTERM). What it prints first lets the other commands ask it.',
      ),
  )
    .option('--json', 'print the address as JSON, in one line')
    .addHelpText('after', examples('model serve', 'model serve flights --json'))
    .action(async (name: string, { dir = folderOf(name), json }: Options) => {
      const [{ ServedModel, exportLine }, { modelDeclaration }, { untilStopped }, { ModelError }] = await Promise.all([
        import('#shared/cli/model/serving.ts'),
        import('#shared/cli/model/declaration.ts'),
        import('#shared/cli/stop-signal.ts'),
        import('#shared/cli/model/python.ts'),
      ])
      await modelDeclaration(name)
      const stopped = untilStopped()
      const model = await ServedModel.start(dir, say)
      const { url, version } = model
      print(json ? JSON.stringify({ url, version }) : exportLine(model))
      say(
        `${version} answers at ${url}. In another shell: the line above, then inlet run functions/${name}/scored.ts …`,
      )
      const stopping = new Promise<void>((resolve) => {
        if (stopped.aborted) resolve()
        stopped.addEventListener('abort', () => resolve())
      })
      await Promise.race([stopping, model.ended()])
      if (!stopped.aborted) throw new ModelError(`the model's server has ended by itself, with ${await model.ended()}`)
      await model.stop()
    })
}

function withModel(command: Command): Command {
  return command
    .argument('[pipeline]', 'whose rows it scores', PIPELINE)
    .option('--dir <folder>', 'where its training data and the model are (default: .cache/model/<pipeline>)')
}

function folderOf(name: string): string {
  return `.cache/model/${name}`
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)
