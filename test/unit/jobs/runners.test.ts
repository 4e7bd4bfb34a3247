import { type StartOrder, StartRefusedError } from '#shared/jobs/job-runner.ts'
import { attemptIdentity, tokenOf } from '#shared/jobs/run-id.ts'
import type { JobTarget } from '#shared/pipeline/job.ts'
import { answeringRunners } from '#test/helpers/answering-services.ts'

const GLUE = { kind: 'glue', job: 'compact' } as const
const EMR_SERVERLESS = {
  kind: 'emrServerless',
  application: '00f',
  role: 'r',
  script: 's3://b/j.py',
  spark: '',
} as const
const EMR_STEP = { kind: 'emrStep', cluster: 'j-1', script: 's3://b/j.py', spark: ['--conf', 'a=b'] } as const
const { signal } = new AbortController()

function prepared(target: JobTarget, answer: (operation: string) => object) {
  const calls: [operation: string, input: object][] = []
  const runnerOf = answeringRunners((operation, input) => {
    calls.push([operation, input])
    return answer(operation)
  })
  const job = {
    name: 'j',
    target,
    when: { kind: 'rows', rows: 1 },
    retries: 0,
    concurrency: 1,
    rerunAfter: null,
    arguments: {},
  } as const
  const identity = attemptIdentity(
    { lake: 's3://l', pipeline: 'p', generation: 0, job: 'j', scope: 'w', revision: 1 },
    2,
  )
  const order = {
    target,
    identity,
    token: tokenOf(identity),
    arguments: { run: identity, table: 't' },
  } as unknown as StartOrder
  return { runner: runnerOf(job), order, identity, calls }
}

const failing =
  (name: string, message = 'Because.') =>
  () => {
    throw Object.assign(new Error(message), { name })
  }

test('an identity is of one lake, run and attempt', () => {
  const { identity } = prepared(GLUE, () => ({}))
  expect(identity).toMatch(/^[0-9a-f]{12}\/p\/g0\/j\/w\/r1\/a2$/)
  expect(tokenOf(identity)).toMatch(/^[0-9a-f]{64}$/)
})

test('Glue is told the arguments, and finds a run by one of them', async () => {
  const { runner, order, identity, calls } = prepared(GLUE, (operation) =>
    operation === 'StartJobRun'
      ? { JobRunId: 'jr_1' }
      : {
          JobRuns: [
            { Id: 'jr_0', Arguments: {} },
            { Id: 'jr_1', Arguments: { '--run': identity } },
          ],
        },
  )
  expect(await runner.start(order, signal)).toBe('jr_1')
  expect(calls[0]).toEqual(['StartJobRun', { JobName: 'compact', Arguments: { '--run': identity, '--table': 't' } }])
  expect(await runner.find(order, 0)).toBe('jr_1')
})

test('the search of Glue stops at runs that are older than the start', async () => {
  let pages = 0
  const { runner, order } = prepared(GLUE, () => {
    pages += 1
    return { JobRuns: [{ Id: 'jr_0', StartedOn: new Date(1_000_000) }], NextToken: 'more' }
  })
  expect(await runner.find(order, 10_000_000)).toBeUndefined()
  expect(pages).toBe(1)
})

test('EMR Serverless is told the token, and a command line', async () => {
  const { runner, order, identity, calls } = prepared(EMR_SERVERLESS, () => ({ jobRunId: 'r1' }))
  expect(await runner.start(order, signal)).toBe('r1')
  expect(calls[0]?.[1]).toEqual({
    applicationId: '00f',
    clientToken: tokenOf(identity),
    executionRoleArn: 'r',
    name: identity,
    jobDriver: { sparkSubmit: { entryPoint: 's3://b/j.py', entryPointArguments: ['--run', identity, '--table', 't'] } },
  })
})

test('a step of EMR has the identity for its name, and does not stop the cluster', async () => {
  const { runner, order, identity, calls } = prepared(EMR_STEP, (operation) =>
    operation === 'ListSteps'
      ? {
          Steps: [
            { Id: 's-0', Name: 'x' },
            { Id: 's-1', Name: identity },
          ],
        }
      : { StepIds: ['s-1'] },
  )
  expect(await runner.start(order, signal)).toBe('s-1')
  expect(calls[0]?.[1]).toMatchObject({
    JobFlowId: 'j-1',
    Steps: [
      {
        Name: identity,
        ActionOnFailure: 'CONTINUE',
        HadoopJarStep: {
          Args: [
            'spark-submit',
            '--deploy-mode',
            'cluster',
            '--conf',
            'a=b',
            's3://b/j.py',
            '--run',
            identity,
            '--table',
            't',
          ],
        },
      },
    ],
  })
  expect(await runner.find(order, 0)).toBe('s-1')
})

test.each([
  [GLUE, { JobRun: { JobRunState: 'WAITING' } }, 'running'],
  [GLUE, { JobRun: { JobRunState: 'SUCCEEDED' } }, 'succeeded'],
  [GLUE, { JobRun: { JobRunState: 'TIMEOUT' } }, 'failed'],
  [GLUE, { JobRun: { JobRunState: 'STOPPED' } }, 'failed'],
  [EMR_SERVERLESS, { jobRun: { state: 'QUEUED' } }, 'running'],
  [EMR_SERVERLESS, { jobRun: { state: 'SUCCESS' } }, 'succeeded'],
  [EMR_SERVERLESS, { jobRun: { state: 'CANCELLED' } }, 'failed'],
  [EMR_STEP, { Step: { Status: { State: 'CANCEL_PENDING' } } }, 'running'],
  [EMR_STEP, { Step: { Status: { State: 'COMPLETED' } } }, 'succeeded'],
  [EMR_STEP, { Step: { Status: { State: 'INTERRUPTED' } } }, 'failed'],
] as const)('%j of %j is %s', async (target, answer, state) => {
  const { runner, order } = prepared(target, () => answer)
  expect(await runner.state(order, 'r')).toMatchObject({ state })
})

test.each([
  [GLUE, 'EntityNotFoundException'],
  [EMR_SERVERLESS, 'ResourceNotFoundException'],
  [EMR_STEP, 'InvalidRequestException'],
] as const)('%j: %s is a run that the service does not know', async (target, name) => {
  const { runner, order } = prepared(target, failing(name))
  expect(await runner.state(order, 'r')).toMatchObject({ state: 'gone', message: expect.stringContaining(name) })
})

test.each([GLUE, EMR_SERVERLESS, EMR_STEP])(
  '%j: of a run that cannot be looked at nothing is known',
  async (target) => {
    const { runner, order } = prepared(target, failing('AccessDeniedException'))
    await expect(runner.state(order, 'r')).rejects.toThrow('Because.')
  },
)

test.each([
  [GLUE, 'ConcurrentRunsExceededException', 'busy'],
  [GLUE, 'EntityNotFoundException', 'wrong'],
  [EMR_SERVERLESS, 'ConflictException', 'busy'],
  [EMR_SERVERLESS, 'ValidationException', 'wrong'],
  [EMR_STEP, 'InvalidRequestException', 'wrong'],
] as const)('%j: %s is a start that was refused: %s', async (target, name, reason) => {
  const { runner, order } = prepared(target, failing(name))
  const refusal = await runner.start(order, signal).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(StartRefusedError)
  expect(refusal).toMatchObject({ reason, message: expect.stringContaining(name) })
})

test('a full queue of steps is waited for', async () => {
  const { runner, order } = prepared(
    EMR_STEP,
    failing('InvalidRequestException', 'Maximum number of active steps(256)'),
  )
  await expect(runner.start(order, signal)).rejects.toMatchObject({ reason: 'busy' })
})

test.each(['InternalServiceException', 'TimeoutError'])(
  'after %s nobody knows whether a run was started',
  async (name) => {
    const { runner, order } = prepared(GLUE, failing(name))
    await expect(runner.start(order, signal)).rejects.not.toBeInstanceOf(StartRefusedError)
  },
)
