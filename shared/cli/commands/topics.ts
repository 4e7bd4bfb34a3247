import process from 'node:process'
import type { Command } from 'commander'
import type { planOf as PlanOf } from '#shared/sources/topic-changes.ts'
import type { TopicPlan } from '#shared/sources/topics.ts'
import { examples, print, withKafka } from './options.ts'

interface Options {
  readonly kafka?: string
  readonly json?: true
}

export function addTopics(program: Command): void {
  const group = program
    .command('topics')
    .description('the Kafka topics of pipelines: made, and changed, to what pipelines declare')
  addPlan(group)
  addApply(group)
}

function addPlan(group: Command): void {
  withPipelines(group, 'plan', 'show what apply would do, and touch nothing; exit code 1 if it would be refused')
    .addHelpText('after', examples('topics plan', 'topics plan flights --kafka localhost:9092'))
    .action(async (names: readonly string[], { kafka, json }: Options) => {
      const [{ planOf }, { topicsPlanPage }] = await Promise.all([
        import('#shared/sources/topic-changes.ts'),
        import('#shared/cli/topics-page.ts'),
      ])
      const plans = await withTopics(names, kafka, planOf)
      if (plans.some(({ refused }) => refused !== null)) process.exitCode = 1
      print(json ? JSON.stringify(plans) : topicsPlanPage(plans))
    })
}

function addApply(group: Command): void {
  withPipelines(
    group,
    'apply',
    'make the topics, or change them to what pipelines declare; all of them, or, when one is refused, none',
  )
    .addHelpText('after', examples('topics apply', 'topics apply flights --kafka localhost:9092'))
    .action(async (names: readonly string[], { kafka, json }: Options) => {
      const [{ applyTopics }, { topicsAppliedPage }] = await Promise.all([
        import('#shared/sources/topic-changes.ts'),
        import('#shared/cli/topics-page.ts'),
      ])
      const applied = await withTopics(names, kafka, applyTopics)
      if (applied.some(({ refused }) => refused !== null)) process.exitCode = 1
      print(json ? JSON.stringify(applied) : topicsAppliedPage(applied))
    })
}

function withPipelines(group: Command, name: string, description: string): Command {
  return withKafka(
    group
      .command(name)
      .description(description)
      .argument('[pipelines...]', 'their names, or the files that define them (default: all of functions/)'),
  ).option('--json', 'print it as JSON')
}

/** Does something with the topics of a cluster and those of pipelines, of all when none is named. */
async function withTopics(
  names: readonly string[],
  brokers: string | undefined,
  work: typeof PlanOf,
): Promise<readonly TopicPlan[]> {
  const [{ kafkaOf }, { openTopics }, { declaredTopics }, { loadPipeline, pipelineFiles }, { startupRetries }] =
    await Promise.all([
      import('#shared/kafka-settings.ts'),
      import('#shared/sources/kafka-topics.ts'),
      import('#shared/sources/topics.ts'),
      import('#shared/cli/pipelines.ts'),
      import('#shared/cli/kafka-start.ts'),
    ])
  const connection = kafkaOf(process.env, brokers)
  const wanted = names.length === 0 ? [...pipelineFiles().keys()] : [...new Set(names)]
  const pipelines = await Promise.all(wanted.map(loadPipeline))
  const topics = openTopics(connection)
  try {
    return await work(topics, declaredTopics(pipelines), startupRetries())
  } finally {
    await topics.close()
  }
}
