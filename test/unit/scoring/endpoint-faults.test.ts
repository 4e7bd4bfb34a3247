import { EndpointFault, endpointFault } from '#shared/scoring/endpoint-faults.ts'

const error = (name: string, status?: number, more: object = {}): unknown =>
  Object.assign(
    new Error('m'),
    { name, ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }) },
    more,
  )

test.each<[string, unknown, string]>([
  ['throttling, which is HTTP 400 and in no model', error('ThrottlingException', 400), 'throttled'],
  ['another 429', error('UnknownError', 429), 'throttled'],
  ['a model that is still loading, which is HTTP 429 too', error('ModelNotReadyException', 429), 'notReady'],
  ['a model that failed', error('ModelError', 424, { OriginalStatusCode: 500 }), 'model'],
  ['a model that refused', error('ModelError', 424, { OriginalStatusCode: 400 }), 'model'],
  ['a container without a free worker', error('ModelError', 424, { OriginalStatusCode: 503 }), 'throttled'],
  ['HTTP 424 of something in between', error('Unknown', 424), 'model'],
  ['no such endpoint', error('ValidationError', 400), 'refused'],
  ['no right to it', error('AccessDeniedException', 403), 'refused'],
  ['no credentials', error('CredentialsProviderError'), 'refused'],
  ['the service is away', error('ServiceUnavailable', 503), 'unreachable'],
  ['a dependency of it failed', error('InternalDependencyException', 530), 'unreachable'],
  ['HTML of a proxy', error('SyntaxError', 502), 'unreachable'],
  ['nobody listens', error('Error', undefined, { code: 'ECONNREFUSED' }), 'unreachable'],
  ['a connection that broke', error('Error', undefined, { code: 'ECONNRESET' }), 'unreachable'],
  ['our own timeout', error('AbortError'), 'late'],
  ["the client's", error('TimeoutError'), 'late'],
])('%s', (_name, thrown, kind) => {
  expect(endpointFault(thrown).kind).toBe(kind)
  expect(endpointFault(thrown).cause).toBe(thrown)
})

test('a fault of ours stays what it is', () => {
  const fault = new EndpointFault('response', 'x')
  expect(endpointFault(fault)).toBe(fault)
})
