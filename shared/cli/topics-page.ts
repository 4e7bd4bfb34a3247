import type { TopicPlan } from '#shared/sources/topics.ts'

/** What `topics plan` found. */
export function topicsPlanPage(plans: readonly TopicPlan[]): string {
  return [...plans.flatMap((plan) => lines(plan, 'would')), 'Nothing was touched.'].join('\n')
}

/** What `topics apply` did. */
export function topicsAppliedPage(plans: readonly TopicPlan[]): string {
  const isRefused = plans.some(({ refused }) => refused !== null)
  const shown = isRefused ? plans.filter(({ refused }) => refused !== null) : plans
  return [...shown.flatMap((plan) => lines(plan, 'done:')), ...(isRefused ? ['Nothing was touched.'] : [])].join('\n')
}

function lines({ topic, pipelines, changes, refused }: TopicPlan, prefix: string): string[] {
  const of = `${topic} (of ${pipelines.join(', ')})`
  if (refused !== null) return [`${of}: refused: ${refused}`]
  if (changes.length === 0) return [`${of}: is as it is declared, nothing to do.`]
  return [`${of}:`, ...changes.map(({ text }) => `  ${prefix} ${text}`)]
}
