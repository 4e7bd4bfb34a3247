import { LaptopRunner, type ScriptHost } from '#shared/cli/spark/laptop-runner.ts'
import type { ScriptResult } from '#shared/cli/spark/spark-host.ts'
import type { StartOrder } from '#shared/jobs/job-runner.ts'
import type { JobTarget } from '#shared/pipeline/job.ts'

/** A host whose scripts end when they are told to. */
class Waiting implements ScriptHost {
  readonly ran: { readonly script: string; readonly args: readonly string[] }[] = []
  readonly #ends: ((result: ScriptResult) => void)[] = []

  run(script: string, args: readonly string[]): Promise<ScriptResult> {
    this.ran.push({ script, args })
    const { promise, resolve } = Promise.withResolvers<ScriptResult>()
    this.#ends.push(resolve)
    return promise
  }

  async end(run: number, result: ScriptResult): Promise<void> {
    this.#ends[run]?.(result)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function order(target: JobTarget, identity = 'one'): StartOrder {
  const args = { run: identity, lake: 'file:///lake', catalog: 'directory', table: 'flights', 'target-mb': '64' }
  return { target, identity, token: identity, arguments: args as unknown as StartOrder['arguments'] }
}

const emr = (script: string): JobTarget => ({ kind: 'emrStep', cluster: 'j-1', script, spark: [] })

test('a script is started once, in the catalog of this machine, and followed to its end', async () => {
  const host = new Waiting()
  const runner = new LaptopRunner(host, 'rest:http://127.0.0.1:1/x')
  const compact = order({ kind: 'glue', job: 'inlet-compact' })
  const id = await runner.start(compact)
  expect(await runner.start(compact)).toBe(id)
  expect(host.ran).toHaveLength(1)
  expect(host.ran[0]?.script).toMatch(/infra\/jobs\/compact\.py$/)
  expect(host.ran[0]?.args.join(' ')).toBe(
    '--run one --lake file:///lake --catalog rest:http://127.0.0.1:1/x --table flights --target-mb 64',
  )
  expect(await runner.state(compact, id)).toEqual({ state: 'running', message: null })
  await host.end(0, { error: null, said: '{"files after": 1}' })
  expect(await runner.state(compact, id)).toEqual({ state: 'succeeded', message: '{"files after": 1}' })

  const failing = order(emr('s3://bucket/jobs/expire.py'), 'two')
  const second = await runner.start(failing)
  expect(host.ran[1]?.script).toMatch(/infra\/jobs\/expire\.py$/)
  await host.end(1, { error: 'orphan-days: at least 4', said: '' })
  expect(await runner.state(failing, second)).toEqual({ state: 'failed', message: 'orphan-days: at least 4' })
})

test('a run of another process has failed; what is none of our scripts is refused for good', async () => {
  const runner = new LaptopRunner(new Waiting(), 'rest:x')
  expect(await runner.state(order({ kind: 'glue', job: 'inlet-compact' }), 'one')).toMatchObject({ state: 'failed' })
  for (const target of [
    { kind: 'glue', job: 'report' } as const,
    emr('s3://bucket/spark_host.py'),
    emr('s3://b/x.jar'),
  ])
    await expect(runner.start(order(target))).rejects.toMatchObject({ reason: 'wrong' })
})
