import process from 'node:process'
import type { Command } from 'commander'
import type { JobPlace } from '#shared/cli/jobs.ts'
import type { TablePlace } from '#shared/cli/opened-tables.ts'
import { atLeastOne, examples, print, withCatalog, withLake } from './options.ts'

interface Options extends TablePlace {
  readonly json?: true
}

interface TopicOptions extends Options {
  readonly kafka?: string
  readonly group?: string
}

export function addJobs(program: Command): void {
  const group = program
    .command('jobs')
    .description('the Glue and EMR jobs of pipelines: why they run or do not, and what became of their runs')
  addLs(group)
  addShow(group)
  addWhy(group)
  addRun(group)
  addStart(group)
  addRetry(group)
}

function addLs(group: Command): void {
  withPlace(withPipelines(group.command('ls').description('list jobs, and the last run for each partition')))
    .option('--limit <n>', 'partitions of each job, the last ones', atLeastOne, 20)
    .addHelpText('after', examples('jobs ls --lake .lake'))
    .action(async (names: readonly string[], { json, limit, ...place }: Options & { readonly limit: number }) => {
      const [{ jobsPage }, { jobSurroundings, pipelinesWithJobs }, { listRuns }] = await loaded()
      const pipelines = await pipelinesWithJobs(names)
      const surroundings = jobSurroundings(place, pipelines)
      const found = []
      for (const pipeline of pipelines) found.push({ pipeline, runs: await listRuns(surroundings, pipeline, limit) })
      const told = found.map(({ pipeline: { name, jobs }, runs }) => ({ pipeline: name, jobs, runs }))
      print(json ? JSON.stringify(told) : jobsPage(found))
    })
}

function addShow(group: Command): void {
  const show = group.command('show').description('what is written down of the runs for a partition: attempts, and why')
  withPlace(withScope(withJob(show)))
    .addHelpText('after', examples('jobs show flights compact 2013-01-01 --lake .lake'))
    .action(async (name: string, job: string, scope: string, { json, ...place }: Options) => {
      const [{ runsPage }, , { showRuns }] = await loaded()
      const { pipeline, surroundings } = await opened(name, place)
      const runs = await showRuns(surroundings, pipeline, job, scope)
      print(json ? JSON.stringify(runs) : runsPage(runs))
    })
}

function addWhy(group: Command): void {
  withTopic(
    group.command('why').description('say why the jobs of a table run for a partition, or do not, and change nothing'),
  )
    .argument('<table>', 'its name')
    .argument('<partition>', 'as its folder is named, less the column: 2013-01-01, 2013-01-01-05')
    .option('--pipeline <file>', 'the file that defines it, where it is none of functions/')
    .addHelpText('after', examples('jobs why flights 2013-01-01 --lake .lake'))
    .action(
      async (
        table: string,
        partition: string,
        { json, pipeline: file, ...place }: TopicOptions & { readonly pipeline?: string },
      ) => {
        const [{ whyPage }, { explain, jobSurroundings, pipelineOfTable }] = await loaded()
        const pipeline = await pipelineOfTable(table, file)
        const explanations = await explain(jobSurroundings(await withTopics(place), [pipeline]), pipeline, partition)
        print(json ? JSON.stringify(explanations) : whyPage(explanations))
      },
    )
}

function addRun(group: Command): void {
  const run = group
    .command('run')
    .description(
      'one round of the scheduler, as the deployed function does one each minute: start what is due, follow what runs',
    )
  withTopic(withPipelines(run))
    .addHelpText('after', examples('jobs run flights --lake s3://lake --catalog glue:lake'))
    .action(async (names: readonly string[], { json, ...place }: TopicOptions) => {
      const [{ roundPage }, { followRuns, jobSurroundings, pipelinesWithJobs }] = await loaded()
      const pipelines = await pipelinesWithJobs(names)
      const surroundings = jobSurroundings(await withTopics(place), pipelines)
      const runs = []
      for (const pipeline of pipelines) runs.push(...(await followRuns(surroundings, pipeline)))
      print(json ? JSON.stringify(runs) : roundPage(runs))
    })
}

function addStart(group: Command): void {
  withPlace(withJob(group.command('start').description('start a job now, whether or not its data is complete')))
    .argument('[partition]', 'which one, where the job runs for partitions')
    .addHelpText('after', examples('jobs start flights compact 2013-01-01 --lake s3://lake --catalog glue:lake'))
    .action(async (name: string, job: string, partition: string | undefined, { json, ...place }: Options) => {
      const [{ roundPage }, { startRun }] = await loaded()
      const { pipeline, surroundings } = await opened(name, place)
      const runs = await startRun(surroundings, pipeline, job, partition)
      print(json ? JSON.stringify(runs) : roundPage(runs))
    })
}

function addRetry(group: Command): void {
  withPlace(withScope(withJob(group.command('retry').description('start a run anew that was given up'))))
    .addHelpText('after', examples('jobs retry flights compact 2013-01-01 --lake s3://lake --catalog glue:lake'))
    .action(async (name: string, job: string, scope: string, { json, ...place }: Options) => {
      const [{ roundPage }, { retryRun }] = await loaded()
      const { pipeline, surroundings } = await opened(name, place)
      const runs = await retryRun(surroundings, pipeline, job, scope)
      print(json ? JSON.stringify(runs) : roundPage(runs))
    })
}

/** What the commands do: by the one that is called, and not before. */
function loaded() {
  return Promise.all([
    import('#shared/cli/jobs-page.ts'),
    import('#shared/cli/jobs.ts'),
    import('#shared/cli/job-runs.ts'),
  ])
}

/** The pipeline of a call, and what its jobs are looked at with. */
async function opened(name: string, place: TablePlace) {
  const [, { jobSurroundings, pipelineWithJobs }] = await loaded()
  const pipeline = await pipelineWithJobs(name)
  return { pipeline, surroundings: jobSurroundings(place, [pipeline]) }
}

function withPipelines(command: Command): Command {
  return command.argument(
    '[pipelines...]',
    'their names, or the files that define them (default: all of functions/ that have jobs)',
  )
}

function withJob(command: Command): Command {
  return command
    .argument('<pipeline>', 'its name, or the file that defines it')
    .argument('<job>', 'the name that the pipeline has for it')
}

function withScope(command: Command): Command {
  return command.argument('<for>', 'the partition, or what else the run is for, as ls shows it')
}

function withTopic(command: Command): Command {
  return withPlace(command)
    .option(
      '--kafka <host:port,…>',
      'ask the topic, too: a partition that has more of it holds its windows back, however long nothing has landed',
    )
    .option('--group <id>', "the trigger's consumer group, for --kafka (default: the one that run --kafka reads with)")
}

async function withTopics({ kafka, group, ...place }: Omit<TopicOptions, 'json'>): Promise<JobPlace> {
  if (kafka === undefined) return place
  const [{ kafkaOf }, { topicViews }] = await Promise.all([
    import('#shared/kafka-settings.ts'),
    import('#shared/cli/topic-views.ts'),
  ])
  return { ...place, topic: topicViews(kafkaOf(process.env, kafka), group ?? null) }
}

function withPlace(command: Command): Command {
  return withCatalog(withLake(command)).option('--json', 'print it as JSON')
}
