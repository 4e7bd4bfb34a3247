import { catalogOf, readConfig } from '#shared/config.ts'

test('what is not set has a default', () => {
  expect(readConfig({ LAKE_URL: 'file:/lake' })).toEqual({
    lakeUrl: 'file:/lake',
    catalog: 'directory',
    logLevel: 'INFO',
    metricsNamespace: 'Inlet',
    concurrency: 8,
  })
})

test('tables in S3 need a catalog that is named', () => {
  expect(catalogOf(readConfig({ LAKE_URL: 's3://b', LAKE_CATALOG: 'glue:db' }))).toBe('glue:db')
  expect(() => catalogOf(readConfig({ LAKE_URL: 's3://b' }))).toThrow('LAKE_CATALOG: set it to glue:')
})

test.each([
  ['file:.lake', 'file:/home/me/.lake'],
  ['file:lakes/one', 'file:/home/me/lakes/one'],
  ['file:/lake', 'file:/lake'],
  ['file:///lake', 'file:///lake'],
  ['s3://bucket/lake', 's3://bucket/lake'],
])('%s is meant from where the user is: %s', (url, expected) => {
  expect(readConfig({ LAKE_URL: url, PWD: '/home/me' }).lakeUrl).toBe(expected)
})

test.each([
  [{}, /LAKE_URL: set it to the lake/],
  [{ LAKE_URL: '' }, /LAKE_URL/],
  [{ LAKE_URL: 'file:/l', INLET_CONCURRENCY: '0' }, /INLET_CONCURRENCY/],
  [{ LAKE_URL: 'file:/l', POWERTOOLS_LOG_LEVEL: 'LOUD' }, /POWERTOOLS_LOG_LEVEL/],
  [
    { LAKE_URL: 'file:/l', AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
    /LAKE_URL: a deployed function's lake is in S3/,
  ],
])('%j is refused, with the name of the variable', (environment, message) => {
  expect(() => readConfig(environment)).toThrow(message)
})

test('a directory is a lake for `serverless invoke local`, which pretends to be Lambda', () => {
  const environment = { LAKE_URL: 'file:/l', AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' }
  expect(readConfig({ ...environment, IS_LOCAL: 'true' }).lakeUrl).toBe('file:/l')
  expect(readConfig({ ...environment, LAKE_URL: 's3://bucket' }).lakeUrl).toBe('s3://bucket')
})
