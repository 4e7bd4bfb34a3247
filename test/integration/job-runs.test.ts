/** Jobs started once: on Glue as moto has it, on EMR Serverless as its API says, and as steps of EMR. */
import { RunJobFlowCommand } from '@aws-sdk/client-emr'
import { CreateJobCommand, GetJobRunsCommand, type JobRun } from '@aws-sdk/client-glue'
import { EmrServerlessRunner } from '#shared/jobs/emr-serverless-runner.ts'
import { EmrStepRunner } from '#shared/jobs/emr-step-runner.ts'
import { GlueRunner } from '#shared/jobs/glue-runner.ts'
import type { JobRunner } from '#shared/jobs/job-runner.ts'
import type { JobOptions } from '#shared/pipeline/job-options.ts'
import { EmrServerlessApi } from '#test/helpers/emr-serverless-api.ts'
import { JobLake, withJobs } from '#test/helpers/job-lake.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { Moto, START_TIMEOUT_MS } from '#test/helpers/moto.ts'
import { SchedulerCrash } from '#test/helpers/scheduler-crash.ts'

const MINUTE = 60_000
const LONG = 300_000
const COMPLETE = { partitionComplete: '10 minutes' } as const

let moto: Moto
let emrServerless: EmrServerlessApi
let jobs = 0

beforeAll(async () => {
  ;[moto, emrServerless] = await Promise.all([Moto.start(), EmrServerlessApi.start()])
  // A run is at work until it was looked at three times.
  await moto.changeStates('glue::job_run', 3)
}, START_TIMEOUT_MS)
afterAll(() => Promise.all([moto?.stop(), emrServerless?.stop()]))
beforeEach(() => {
  emrServerless.runs.length = 0
})

/** A lake whose fifth and sixth of January are complete. */
async function completeLake(job: JobOptions, store = new MemoryStore()): Promise<JobLake> {
  const lake = new JobLake(withJobs({ compact: job }), store)
  await lake.apply()
  await lake.land(0, { at: '2026-01-05T10:00:00Z' }, { at: '2026-01-06T10:00:00Z' }, { at: '2026-01-07T10:00:00Z' })
  await lake.land(1, { at: '2026-01-05T11:00:00Z' }, { at: '2026-01-07T11:00:00Z' })
  await lake.commit()
  return lake
}

async function newGlueJob(MaxConcurrentRuns: number): Promise<string> {
  jobs += 1
  const Name = `compact-${jobs}`
  const Command = { Name: 'glueetl', ScriptLocation: 's3://lake/jobs/compact.py' }
  await moto
    .glueJobs()
    .send(new CreateJobCommand({ Name, Role: 'r', Command, ExecutionProperty: { MaxConcurrentRuns } }))
  return Name
}

async function glueRuns(JobName: string): Promise<readonly JobRun[]> {
  return (await moto.glueJobs().send(new GetJobRunsCommand({ JobName }))).JobRuns ?? []
}

/** Rounds until no run is open. Each looks at a run once. */
async function untilOver(lake: JobLake, runner: JobRunner): Promise<void> {
  for (let rounds = 0; (await lake.round(runner)).length > 0; rounds++) expect(rounds).toBeLessThan(20)
}

const partitionsOf = (runs: readonly JobRun[]) => runs.map(({ Arguments }) => Arguments?.['--partition'] ?? '').sort()

test(
  'on Glue, wherever a scheduler dies, each window has one run',
  async () => {
    let points = 0
    for (let call = 1; ; call++) {
      const name = await newGlueJob(5)
      const store = new MemoryStore()
      const lake = await completeLake({ glue: name, when: COMPLETE, concurrency: 2 }, store)
      const runner = new GlueRunner(moto.glueJobs())
      const crash = new SchedulerCrash(call, call % 2 === 0 ? 'before' : 'after')
      await lake.round(crash.runner(runner), crash.store(store)).catch(() => {})
      for (let minute = 0; minute < 6; minute++) {
        lake.later = minute * MINUTE
        await lake.round(runner)
      }
      await untilOver(lake, runner)
      expect([call, partitionsOf(await glueRuns(name))]).toEqual([call, ['2026-01-05', '2026-01-06']])
      if (!crash.hasCrashed) break
      points += 1
    }
    expect(points).toBeGreaterThan(25)
  },
  LONG,
)

test(
  'on EMR Serverless, wherever a scheduler dies, each window has one run',
  async () => {
    const target = { application: '00f', role: 'arn:aws:iam::123456789012:role/r', script: 's3://lake/jobs/compact.py' }
    let points = 0
    for (let call = 1; ; call++) {
      emrServerless.runs.length = 0
      const store = new MemoryStore()
      const lake = await completeLake({ emrServerless: target, when: COMPLETE, concurrency: 2 }, store)
      const runner = new EmrServerlessRunner(emrServerless.client())
      const crash = new SchedulerCrash(call, call % 2 === 0 ? 'before' : 'after')
      await lake.round(crash.runner(runner), crash.store(store)).catch(() => {})
      // Nobody has to wait: a start is sent again.
      for (let round = 0; round < 3; round++) await lake.round(runner)
      expect([call, emrServerless.runs.length]).toEqual([call, 2])
      for (const run of emrServerless.runs) run.state = 'SUCCESS'
      await lake.round(runner)
      expect([call, await lake.round(runner), emrServerless.runs.length]).toEqual([call, [], 2])
      if (!crash.hasCrashed) break
      points += 1
    }
    expect(points).toBeGreaterThan(25)
  },
  LONG,
)

test('what Glue has no room for waits, and is started once there is', async () => {
  const name = await newGlueJob(1)
  const lake = await completeLake({ glue: name, when: COMPLETE, concurrency: 2 })
  const runner = new GlueRunner(moto.glueJobs())
  const first = await lake.round(runner)
  expect(first.map(({ status }) => status.status)).toEqual(['running', 'waiting'])
  expect(JSON.stringify(first[1]?.status)).toContain('ConcurrentRunsExceededException')
  expect(partitionsOf(await glueRuns(name))).toEqual(['2026-01-05'])
  for (let minute = 0; minute < 8; minute++) {
    lake.later = minute * MINUTE
    await lake.round(runner)
  }
  await untilOver(lake, runner)
  expect(partitionsOf(await glueRuns(name))).toEqual(['2026-01-05', '2026-01-06'])
})

test('schedulers at once start one run for each window', async () => {
  const name = await newGlueJob(9)
  const lake = await completeLake({ glue: name, when: COMPLETE, concurrency: 5 })
  const runner = new GlueRunner(moto.glueJobs())
  await Promise.all(Array.from({ length: 4 }, () => lake.round(runner)))
  expect(partitionsOf(await glueRuns(name))).toEqual(['2026-01-05', '2026-01-06'])
})

test('a job that is not there is given up after its attempts, and says why', async () => {
  const lake = await completeLake({ glue: 'nowhere', when: COMPLETE, retries: 1 })
  const runner = new GlueRunner(moto.glueJobs())
  await lake.round(runner)
  lake.later = 2 * MINUTE
  const [report] = await lake.round(runner)
  expect(report).toMatchObject({
    scope: '2026-01-05',
    status: { status: 'over', outcome: { state: 'gave up', attempts: 2 } },
  })
  expect(JSON.stringify(report)).toMatch(/cannot start the Glue job nowhere: EntityNotFoundException/)
})

test('steps of EMR are known by their names: one whose start was never answered is found', async () => {
  // Before its first cluster moto reads what kinds of machines there are.
  const patient = moto.emr({ requestHandler: { requestTimeout: LONG, socketTimeout: LONG } })
  const { JobFlowId: cluster = '' } = await patient.send(
    new RunJobFlowCommand({
      Name: 'c',
      ReleaseLabel: 'emr-7.10.0',
      Instances: { InstanceCount: 1, MasterInstanceType: 'm5.large', KeepJobFlowAliveWhenNoSteps: true },
    }),
  )
  const lake = await completeLake({ emrStep: { cluster, script: 's3://lake/jobs/compact.py' }, when: COMPLETE })
  const runner = new EmrStepRunner(moto.emr())
  const unanswered: JobRunner = {
    startsOnce: runner.startsOnce,
    start: async (order, signal) => {
      await runner.start(order, signal)
      throw new Error('the answer was lost')
    },
    find: (order) => runner.find(order),
    state: (order, runId) => runner.state(order, runId),
  }
  await expect(lake.round(unanswered)).rejects.toThrow('the answer was lost')
  lake.later = 3 * MINUTE
  const reports = await lake.round(runner)
  expect(reports[0]).toMatchObject({ scope: '2026-01-05', status: { status: expect.stringMatching(/running|over/) } })
  const order = { target: { kind: 'emrStep', cluster, script: '', spark: [] }, identity: '' } as const
  expect(await runner.find({ ...order, token: '', arguments: {} } as never)).toBeUndefined()
})
