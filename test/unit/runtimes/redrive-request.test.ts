import { parseRedriveRequest } from '#shared/runtimes/redrive-request.ts'

test('a request is taken as it is', () => {
  const where = { code: 'EVENT_INVALID', field: 'at', topic: 'sensors', partition: 0, from: 5, to: 5 }
  const next = { log: 'log/sensors/g0/c/sensors/e0/p0/', commit: 0 }
  expect(parseRedriveRequest({ pipeline: 'sensors', where, dryRun: true, next })).toEqual({
    pipeline: 'sensors',
    where,
    dryRun: true,
    next,
  })
  const batches = { pipeline: 'sensors', failureDestination: 's3://failed', epoch: 0, function: 'f' }
  expect(parseRedriveRequest(batches)).toEqual({ ...batches, dryRun: false })
  // As the answer before may have had it.
  expect(parseRedriveRequest({ pipeline: 'sensors', next: null })).toMatchObject({ dryRun: false })
})

test.each([
  [undefined, /^the event is no redrive: .*expected object/],
  [{}, /pipeline: .*expected string/],
  [{ pipeline: 'sensors', were: {} }, /Unrecognized key: "were"/],
  [{ pipeline: 'sensors', where: { cod: 'X' } }, /where: Unrecognized key: "cod"/],
  [{ pipeline: 'sensors', where: { from: 6, to: 5 } }, /where: from is greater than to/],
  [{ pipeline: 'sensors', where: { partition: '0' } }, /where\.partition: .*expected number/],
  [{ pipeline: 'sensors', where: { from: -1 } }, /where\.from: /],
  [{ pipeline: 'sensors', dryRun: 'yes' }, /dryRun: .*expected boolean/],
  [{ pipeline: 'sensors', next: { log: 'x' } }, /next\.commit: /],
  [{ pipeline: 'sensors', epoch: 1 }, /epoch and function say something of failed batches: they need failureDestin/],
  [{ pipeline: 'sensors', function: 'f' }, /they need failureDestination/],
  [{ pipeline: 'sensors', failureDestination: 's3://f', where: {} }, /where and next are for dead letters/],
  [
    { pipeline: 'sensors', failureDestination: 's3://f', next: { log: 'x', commit: 0 } },
    /where and next are for dead letters/,
  ],
])('%j is refused, and it is said why', (event, message) => {
  expect(() => parseRedriveRequest(event)).toThrow(expect.objectContaining({ name: 'RedriveRefusedError' }))
  expect(() => parseRedriveRequest(event)).toThrow(message)
})
