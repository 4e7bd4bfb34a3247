import derived, { type Variables } from '../../../infra/derived.ts'

/** What serverless.yml says, but for one param. */
function variables(param: string, value: unknown): Variables {
  const said: Readonly<Record<string, unknown>> = {
    'self:service': 'inlet',
    'sls:stage': 'dev',
    'param:freshnessSeconds': 600,
    'param:modelImage': '',
    'param:modelKey': '',
    'param:modelInstance': '',
    'param:reserveConcurrency': false,
    [`param:${param}`]: value,
  }
  return { resolveVariable: (variable) => Promise.resolve(said[variable] ?? '') }
}

test('a mistake is told once, by its message alone, however often the Framework asks', async () => {
  const wrong = variables('freshnessSeconds', 'soon')
  const told: unknown[] = await Promise.allSettled(Array.from({ length: 3 }, () => derived(wrong)))
  const reason = expect.objectContaining({
    stack: 'params of stage dev: freshnessSeconds: expected seconds',
  }) as unknown
  const nothing = expect.objectContaining({ status: 'fulfilled' }) as unknown
  expect(told).toEqual([{ status: 'rejected', reason }, nothing, nothing])
})

test('what is no mistake of theirs is told whenever it comes', async () => {
  const fault = new Error('a bug')
  const broken = { resolveVariable: () => Promise.reject(fault) }
  await expect(derived(broken)).rejects.toBe(fault)
  await expect(derived(broken)).rejects.toBe(fault)
  expect(fault.stack).toMatch(/\n +at /)
})
