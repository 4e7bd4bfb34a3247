import { inspect } from 'node:util'
import { S3ServiceException } from '@aws-sdk/client-s3'
import { isMissing, s3Error, statusOf } from '#shared/lake/s3-errors.ts'

const CANNOT = 'cannot write s3://lake/log/1.json'

/** An answer of S3, as the SDK throws it: every element of its body is a property. */
function answer(name: string, httpStatusCode: number, message = 'Because.', elements: object = {}): S3ServiceException {
  const $metadata = { httpStatusCode, requestId: 'REQUEST1' }
  return Object.assign(new S3ServiceException({ name, message, $fault: 'client', $metadata }), elements)
}

const network = (code: string): Error => Object.assign(new Error(`connect ${code} 10.0.0.1:443`), { code })

describe('what can work when it is tried again', () => {
  test.each([
    ['SlowDown', 503],
    ['ServiceUnavailable', 503],
    ['InternalError', 500],
    ['GatewayTimeout', 504],
    ['TooManyRequests', 429],
    ['OperationAborted', 409],
    ['ConditionalRequestConflict', 409],
    ['RequestTimeout', 400],
    ['IncompleteBody', 400],
    ['BadDigest', 400],
    ['ThrottlingException', 400],
    ['ExpiredToken', 400],
  ])('%s (%i)', (name, status) => {
    expect(s3Error(answer(name, status), CANNOT)).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      canRetry: true,
      stage: 'store',
      message: `${CANNOT}: ${name} (${status}): Because. [request REQUEST1]`,
    })
  })

  test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])(
    'no answer: %s',
    (code) => {
      const error = s3Error(network(code), CANNOT)
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true })
      expect(error.message).toBe(`${CANNOT}: connect ${code} 10.0.0.1:443`)
    },
  )

  test('an answer that cannot be read, and what is no error at all', () => {
    const halfRead = Object.assign(new Error('aborted\n  Deserialization error'), {
      $metadata: { httpStatusCode: 200 },
    })
    expect(s3Error(halfRead, CANNOT)).toMatchObject({ code: 'STORE_UNAVAILABLE', message: `${CANNOT}: (200): aborted` })
    expect(s3Error('gone', CANNOT)).toMatchObject({ code: 'STORE_UNAVAILABLE', message: `${CANNOT}: gone` })
    expect(s3Error(undefined, CANNOT)).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const every = Object.assign(new AggregateError([network('ECONNREFUSED')]), { code: 'ECONNREFUSED' })
    expect(s3Error(every, CANNOT).message).toBe(`${CANNOT}: ECONNREFUSED`)
  })
})

describe('what will not', () => {
  test.each([
    ['AccessDenied', 403],
    ['InvalidAccessKeyId', 403],
    ['SignatureDoesNotMatch', 403],
    ['InvalidToken', 400],
    ['NoSuchBucket', 404],
    ['PermanentRedirect', 301],
    ['AuthorizationHeaderMalformed', 400],
    ['EntityTooLarge', 400],
    ['MethodNotAllowed', 405],
    ['NotImplemented', 501],
  ])('%s (%i)', (name, status) => {
    expect(s3Error(answer(name, status), CANNOT)).toMatchObject({
      code: 'STORE_DENIED',
      canRetry: false,
      stage: 'store',
      message: `${CANNOT}: ${name} (${status}): Because. [request REQUEST1]`,
    })
  })

  test('a client that knows neither credentials nor region', () => {
    const nobody = Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    })
    for (const error of [nobody, new Error('Region is missing')])
      expect(s3Error(error, CANNOT)).toMatchObject({ code: 'STORE_DENIED', canRetry: false })
  })

  test('a key that is not there looks like one that is forbidden: a reader is told', () => {
    const denied = answer('AccessDenied', 403)
    expect(s3Error(denied, 'cannot read s3://lake/a').message).toContain('s3:ListBucket')
    expect(s3Error(denied, CANNOT).message).not.toContain('s3:ListBucket')
    expect(s3Error(answer('InvalidAccessKeyId', 403), 'cannot read s3://lake/a').message).not.toContain('s3:ListBucket')
  })
})

test('credentials that S3 sends back are in no part of the error', () => {
  const told = answer('InvalidToken', 400, 'The provided token is malformed.', {
    'Token-0': 'THE-SESSION-TOKEN',
    AWSAccessKeyId: 'AKIA-THE-KEY',
    StringToSign: 'THE-STRING-TO-SIGN',
    $response: { body: 'THE-SESSION-TOKEN' },
  })
  const error = s3Error(told, CANNOT)
  const everything = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }) + JSON.stringify(error)
  expect(everything).toContain('The provided token is malformed.')
  for (const secret of ['THE-SESSION-TOKEN', 'AKIA-THE-KEY', 'THE-STRING-TO-SIGN'])
    expect(everything).not.toContain(secret)
})

test('a missing object is one, a missing bucket or another fault is not', () => {
  expect(isMissing(answer('NoSuchKey', 404))).toBe(true)
  expect(isMissing(answer('NotFound', 404))).toBe(true)
  expect(isMissing(answer('NoSuchBucket', 404))).toBe(false)
  expect(isMissing(answer('AccessDenied', 403))).toBe(false)
  expect(isMissing(network('ENOTFOUND'))).toBe(false)
  expect(statusOf(answer('PreconditionFailed', 412))).toBe(412)
  expect(statusOf(network('ECONNRESET'))).toBeUndefined()
})
