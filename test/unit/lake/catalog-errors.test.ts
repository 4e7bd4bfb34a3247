import { inspect } from 'node:util'
import { GlueServiceException } from '@aws-sdk/client-glue'
import { catalogError, itemErrorCode } from '#shared/lake/catalog-errors.ts'

const CANNOT = "cannot read Glue's table db.t"

function answer(name: string, httpStatusCode: number): GlueServiceException {
  const $metadata = { httpStatusCode, requestId: 'REQUEST1' }
  return new GlueServiceException({ name, message: 'Because.', $fault: 'client', $metadata })
}

test.each([
  ['ThrottlingException', 400],
  ['TooManyRequestsException', 429],
  ['TooManyRequestsException', 400],
  ['RequestLimitExceeded', 400],
  ['OperationTimeoutException', 400],
  ['ResourceNotReadyException', 400],
  ['ConcurrentModificationException', 400],
  ['ConflictException', 409],
  ['FederationSourceRetryableException', 400],
  ['InternalServiceException', 500],
  ['InternalServiceException', 400],
  ['InternalServerErrorException', 500],
  ['ServiceUnavailableException', 503],
  ['ExpiredTokenException', 400],
])('%s (%i) may pass', (name, status) => {
  expect(catalogError(answer(name, status), CANNOT)).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    canRetry: true,
    stage: 'store',
    message: `${CANNOT}: ${name} (${status}): Because. [request REQUEST1]`,
  })
})

test.each([
  ['AccessDeniedException', 400],
  ['AccessDeniedException', 403],
  ['ForbiddenException', 403],
  ['EntityNotFoundException', 400],
  ['NotFoundException', 404],
  ['InvalidInputException', 400],
  ['ValidationException', 400],
  ['GlueEncryptionException', 400],
  ['UnrecognizedClientException', 400],
])('%s (%i) will not', (name, status) => {
  expect(catalogError(answer(name, status), CANNOT)).toMatchObject({ code: 'STORE_DENIED', canRetry: false })
})

test('a quota is full; no answer may come yet; no credentials will not', () => {
  expect(catalogError(answer('ResourceNumberLimitExceededException', 400), CANNOT).code).toBe('STORE_FULL')
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  expect(catalogError(reset, CANNOT)).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: `${CANNOT}: read ECONNRESET`,
  })
  const nobody = Object.assign(new Error('Could not load credentials from any providers'), {
    name: 'CredentialsProviderError',
  })
  expect(catalogError(nobody, CANNOT).code).toBe('STORE_DENIED')
  expect(catalogError(undefined, CANNOT).code).toBe('STORE_UNAVAILABLE')
})

test('what to do about it stands behind what is said of it, and nothing else of the answer', () => {
  const advice = { EntityNotFoundException: 'Make the database' }
  const error = catalogError(
    Object.assign(answer('EntityNotFoundException', 400), { token: 'a-secret-that-must-not-be-told' }),
    CANNOT,
    advice,
  )
  expect(error.message).toBe(`${CANNOT}: EntityNotFoundException (400): Because. [request REQUEST1]. Make the database`)
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('a-secret')
  expect(catalogError(answer('AccessDeniedException', 400), CANNOT, advice).message).not.toContain('Make')
})

test('the code of one item among others', () => {
  expect(itemErrorCode('InternalServiceException')).toBe('STORE_UNAVAILABLE')
  expect(itemErrorCode('ThrottlingException')).toBe('STORE_UNAVAILABLE')
  expect(itemErrorCode('ResourceNumberLimitExceededException')).toBe('STORE_FULL')
  expect(itemErrorCode('InvalidInputException')).toBe('STORE_DENIED')
})
