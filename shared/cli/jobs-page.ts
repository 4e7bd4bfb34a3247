import type { Obstacle } from '#shared/jobs/completeness.ts'
import type { Verdict } from '#shared/jobs/due.ts'
import type { AttemptRecord } from '#shared/jobs/run-records.ts'
import type { Job, JobTarget, JobTrigger } from '#shared/pipeline/job.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { RunReport } from '#shared/runtimes/job-round.ts'
import type { ListedRun } from './job-runs.ts'
import type { Explanation } from './jobs.ts'
import { printable, timeText } from './printable.ts'
import { formatCount } from './progress.ts'
import { textTable } from './text-table.ts'

/** The jobs of pipelines, and the last runs of each. */
export function jobsPage(
  found: readonly { readonly pipeline: Pipeline; readonly runs: readonly ListedRun[] }[],
): string {
  const jobs = found.flatMap(({ pipeline, runs }) =>
    pipeline.jobs.map((job) => {
      const own = runs.filter((run) => run.job === job.name)
      const count = (state: ListedRun['state']): number => own.filter((run) => run.state === state).length
      const counts = [count('open'), count('succeeded'), count('gave up')]
      return [pipeline.name, job.name, serviceText(job.target), occasionText(job), ...counts]
    }),
  )
  const head = ['pipeline', 'job', 'runs', 'when', 'open', 'succeeded', 'gave up']
  if (jobs.length === 0) return 'No pipeline declares jobs.'
  const runs = found.flatMap((each) => each.runs)
  if (runs.length === 0)
    return `${textTable(head, jobs)}\n\nThere were no runs yet; "inlet jobs why <table> <partition>" says why.`
  return `${textTable(head, jobs)}\n\n${runsTable(runs)}`
}

/** Jobs as a pipeline declares them. */
export function jobTable(jobs: readonly Job[]): string {
  const head = ['job', 'runs', 'when']
  return textTable(
    head,
    jobs.map((job) => [job.name, serviceText(job.target), occasionText(job)]),
  )
}

function runsTable(runs: readonly ListedRun[]): string {
  return textTable(
    ['job', 'for', 'run', 'state', 'attempts', 'decided', 'told'],
    runs.map(({ job, scope, revision, state, attempts, order, outcome }) => [
      job,
      scope,
      String(revision),
      state,
      String(attempts.length),
      timeText(order.at),
      outcome?.message ?? attempts.at(-1)?.refusal?.message ?? '',
    ]),
  )
}

/** All that is written down of the runs for one partition. */
export function runsPage(runs: readonly ListedRun[]): string {
  return runs.map(runParagraph).join('\n\n')
}

function runParagraph({ pipeline, job, scope, revision, state, order, attempts, outcome }: ListedRun): string {
  const { window, snapshot, measure, at, by } = order
  return [
    `${job} of ${pipeline} for ${scope}, run ${revision}: ${state}`,
    line('decided', `${timeText(at)}, by ${by}`),
    line('snapshot', snapshot),
    line('window', window === null ? 'the whole table' : `${timeText(window.start)} to ${timeText(window.end)}`),
    line('counted', `${formatCount(measure)} rows or small files`),
    ...attempts.map((attempt, i) => line(`attempt ${i}`, attemptText(attempt))),
    ...(outcome === null ? [] : [line('over', `${timeText(outcome.at)}, ${outcome.state}${told(outcome.message)}`)]),
  ].join('\n')
}

function attemptText({ turn, refusal, started, ended }: AttemptRecord): string {
  if (ended !== null)
    return `${started?.runId ?? 'not started'}, ${ended.state} at ${timeText(ended.at)}${told(ended.message)}`
  if (started !== null) return `${started.runId}, started at ${timeText(started.at)}`
  if (refusal !== null) return `refused at ${timeText(refusal.at)}${told(refusal.message)}`
  return turn === null
    ? 'waits to be started'
    : `its start began at ${timeText(turn.at)}, and nothing is known of it yet`
}

/** What a round of the scheduler did. */
export function roundPage(runs: readonly RunReport[]): string {
  if (runs.length === 0) return 'Nothing was due, and no run is open.'
  return textTable(
    ['pipeline', 'job', 'for', 'run', 'status'],
    runs.map(({ pipeline, job, scope, revision, status }) => [
      pipeline,
      job,
      scope,
      String(revision),
      statusText(status),
    ]),
  )
}

function statusText(status: RunReport['status']): string {
  switch (status.status) {
    case 'running':
      return `at work as ${status.runId}`
    case 'waiting':
      return `waits: ${status.because}`
    case 'over':
      return `${status.outcome.state}${told(status.outcome.message)}`
  }
}

/** Why jobs do or do not run. */
export function whyPage(explanations: readonly Explanation[]): string {
  return explanations
    .map(({ job, scope, verdict }) =>
      [`${job.name} for ${scope}: ${verdictText(verdict)}`, ...because(verdict)].join('\n'),
    )
    .join('\n\n')
}

function verdictText(verdict: Verdict): string {
  switch (verdict.verdict) {
    case 'due':
      return `is due (run ${verdict.revision}): the next round starts it`
    case 'running':
      return `run ${verdict.revision} is not over; "inlet jobs show" says how far it is`
    case 'done':
      return `run ${verdict.revision} is over${late(verdict.lateRows)}`
    case 'no data':
      return 'the table has no rows for it'
    case 'too little':
      return `${formatCount(verdict.measure)} of ${formatCount(verdict.needed)} have come since the last run`
    case 'not complete':
      return `is not complete${late(verdict.lateRows)}`
  }
}

function late(rows: number): string {
  return rows === 0 ? '' : `; ${formatCount(rows)} rows have come late`
}

function because(verdict: Verdict): string[] {
  return verdict.verdict === 'not complete' ? verdict.obstacles.map((obstacle) => `  ${obstacleText(obstacle)}`) : []
}

function obstacleText(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'unread':
      return 'the log is long and is still being read: the next rounds go on'
    case 'not over':
      return `it is over at ${timeText(obstacle.until)}, with what is allowed for late records`
    case 'partition': {
      const { partition, watermark, needed, idleAt } = obstacle
      const reached = watermark === null ? 'has shown no event that can be believed' : `is at ${timeText(watermark)}`
      const until =
        idleAt === null ? 'the topic has more of it' : `silent, it holds nothing back from ${timeText(idleAt)} on`
      return `${printable(partition)} ${reached}, and ${timeText(needed)} is needed (${until})`
    }
    case 'not in a snapshot':
      return `${formatCount(obstacle.files)} files of ${printable(obstacle.partition)} are in no snapshot yet`
    case 'waits in the failure destination':
      return `a batch that may be of it waits in the failure destination: ${printable(obstacle.key)}`
  }
}

function serviceText(target: JobTarget): string {
  switch (target.kind) {
    case 'glue':
      return `Glue job ${target.job}`
    case 'emrServerless':
      return `${target.script} on EMR Serverless ${target.application}`
    case 'emrStep':
      return `${target.script} on EMR ${target.cluster}`
  }
}

function occasionText({ when, rerunAfter }: Job): string {
  switch (when.kind) {
    case 'partitionComplete': {
      const again = rerunAfter === null ? 'late rows are ignored' : `again after ${formatCount(rerunAfter)} late rows`
      return `a partition is complete, and ${lengthText(when.latenessMs)} more; ${again}`
    }
    case 'every':
      return `every ${lengthText(when.periodMs)}`
    default:
      return occasionByCount(when)
  }
}

function occasionByCount(when: JobTrigger & { readonly kind: 'smallFiles' | 'rows' }): string {
  return when.kind === 'rows' ? `${formatCount(when.rows)} rows more` : `${formatCount(when.files)} small files more`
}

/** `10 min`, `2 h`, `1 d`. */
export function lengthText(ms: number): string {
  if (ms % 86_400_000 === 0) return `${ms / 86_400_000} d`
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000} h` : `${ms / 60_000} min`
}

function told(message: string | null): string {
  return message === null || message === '' ? '' : `: ${printable(message)}`
}

function line(label: string, text: string): string {
  return `  ${label.padEnd(10)} ${text}`
}
