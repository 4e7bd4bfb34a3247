import { asInletError, type ErrorCode, InletError } from '#shared/pipeline/errors.ts'
import { REJECTIONS } from '#shared/pipeline/outcome.ts'

const STAGES = ['decode', 'contract', 'transform', 'score', 'partition', 'encode', 'store', 'commit']

describe('what was thrown, as an error that a slice can fail with', () => {
  test('our own passes through', () => {
    const own = new InletError('STORE_DENIED', 'no')
    expect(asInletError(own, 'landing')).toBe(own)
  })

  test('an error of others keeps its message and itself as the cause, and says what was done', () => {
    const other = new TypeError('x is not a function')
    const error = asInletError(other, 'landing flights-0')
    expect(error).toMatchObject({ code: 'UNEXPECTED', stage: 'commit', canRetry: true, cause: other })
    expect(error.message).toBe('landing flights-0: x is not a function')
  })

  test.each<[unknown, string]>([
    ['text', 'landing: text'],
    [undefined, 'landing: undefined'],
    [Symbol('s'), 'landing: Symbol(s)'],
  ])('%p, which is no error', (thrown, message) => {
    expect(asInletError(thrown, 'landing').message).toBe(message)
  })

  test('of several, ours comes before those of others', () => {
    const own = new InletError('STORE_FULL', 'full')
    expect(asInletError(new AggregateError([new Error('other'), own]), 'landing')).toBe(own)
  })

  test('of several of others, the first', () => {
    const several = new AggregateError([new Error('first'), new Error('second')])
    expect(asInletError(several, 'landing').message).toBe('landing: first')
  })
})

test.each<[ErrorCode, string, boolean]>([
  ['EVENT_MALFORMED', 'decode', false],
  ['ENCODE_FAILED', 'encode', false],
  ['STORE_UNAVAILABLE', 'store', true],
  ['STORE_DENIED', 'store', false],
  ['STORE_FULL', 'store', true],
  ['KEY_INVALID', 'store', false],
  ['DEADLINE_NEAR', 'commit', true],
  ['LOG_CORRUPT', 'commit', false],
  ['OFFSETS_RESTARTED', 'commit', false],
  ['UNBALANCED', 'commit', false],
])('%s is a fault of the stage %s; whether a retry can help: %p', (code, stage, canRetry) => {
  expect(new InletError(code, 'x')).toMatchObject({ name: 'InletError', code, stage, canRetry })
})

test('every rejection belongs to a stage of the flow', () => {
  expect(STAGES).toEqual(expect.arrayContaining([...new Set(Object.values(REJECTIONS))]))
})
