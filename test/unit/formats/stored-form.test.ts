import { storedForm } from '#shared/formats/stored-form.ts'
import { UnstorableError } from '#shared/formats/unstorable.ts'
import type { ColumnType } from '#shared/pipeline/columns.ts'
import { always, decimal, listOf, mapOf, maybe, structOf } from '#test/helpers/columns.ts'
import { SCALARS } from '#test/helpers/scalar-samples.ts'
import { hex } from '#test/helpers/stored.ts'

describe.each(SCALARS)('$name', ({ type, samples }) => {
  test.each(samples)('%p', (given, stored) => {
    const made = storedForm(type)(given)
    expect(made instanceof Uint8Array ? hex(made) : made).toBe(stored)
  })
})

const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e'

describe('what a column cannot hold unchanged is refused', () => {
  test.each<[string, ColumnType, unknown, string]>([
    ['half of a surrogate pair', { kind: 'string' }, 'a\ud800b', 'half of a surrogate pair'],
    ['the other half', { kind: 'string' }, '\udc00', 'half of a surrogate pair'],
    ['no text', { kind: 'string' }, 5, 'expected text'],
    ['text for a boolean', { kind: 'boolean' }, 'true', 'expected true or false'],
    ['a number for a boolean', { kind: 'boolean' }, 1, 'expected true or false'],
    ['33 bits', { kind: 'int32' }, 2_147_483_648, 'at most 32 bits'],
    ['33 bits below zero', { kind: 'int32' }, -2_147_483_649, 'at most 32 bits'],
    ['a fraction', { kind: 'int32' }, 1.5, 'at most 32 bits'],
    ['NaN for an integer', { kind: 'int32' }, Number.NaN, 'at most 32 bits'],
    ['text for an integer', { kind: 'int32' }, '5', 'at most 32 bits'],
    ['a bigint for an int32', { kind: 'int32' }, 5n, 'at most 32 bits'],
    ['65 bits', { kind: 'int64' }, 9_223_372_036_854_775_808n, 'at most 64 bits'],
    ['65 bits below zero', { kind: 'int64' }, -9_223_372_036_854_775_809n, 'at most 64 bits'],
    ['an integer that a double rounds', { kind: 'int64' }, 2 ** 53, 'whole number that is exact'],
    ['a fraction for an int64', { kind: 'int64' }, 0.5, 'whole number that is exact'],
    ['infinity for an int64', { kind: 'int64' }, Number.POSITIVE_INFINITY, 'whole number that is exact'],
    ['text for an int64', { kind: 'int64' }, '5', 'at most 64 bits'],
    ['more than a float', { kind: 'float' }, 1e39, 'beyond what a float of 32 bits can hold'],
    ['text for a float', { kind: 'float' }, '1', 'expected a number'],
    ['a bigint for a double', { kind: 'double' }, 1n, 'expected a number'],
    ['text for a double', { kind: 'double' }, 'NaN', 'expected a number'],
    ['three digits too many', decimal(9, 2), '1.23456', 'at most 2 digits behind the point'],
    ['a digit too many before the point', decimal(9, 2), '12345678', 'expected at most 9 digits'],
    ['a digit too many of 38', decimal(38, 0), '1'.repeat(39), 'expected at most 38 digits'],
    ['a fraction of no digits', decimal(9, 0), '0.1', 'at most 0 digits behind the point'],
    ['an exponent', decimal(9, 2), '1e3', 'expected a decimal number'],
    ['a plus sign', decimal(9, 2), '+1', 'expected a decimal number'],
    ['a comma', decimal(9, 2), '1,5', 'expected a decimal number'],
    ['a point alone', decimal(9, 2), '.', 'expected a decimal number'],
    ['no digit behind the point', decimal(9, 2), '1.', 'expected a decimal number'],
    ['no digit before the point', decimal(9, 2), '.5', 'expected a decimal number'],
    ['no decimal', decimal(9, 2), '', 'expected a decimal number'],
    ['NaN for a decimal', decimal(9, 2), 'NaN', 'expected a decimal number'],
    ['a UUID that is too short', { kind: 'uuid' }, uuid.slice(1), 'expected a UUID'],
    ['a UUID that is too long', { kind: 'uuid' }, `${uuid}0`, 'expected a UUID'],
    ['a letter that is no digit', { kind: 'uuid' }, uuid.replace('0', 'g'), 'expected a UUID'],
    [
      'dashes elsewhere',
      { kind: 'uuid' },
      uuid.replaceAll('-', '').replace(/^(.{3})(.{4})/, '$1-$2-'),
      'expected a UUID',
    ],
    ['some dashes', { kind: 'uuid' }, uuid.replace('-', ''), 'expected a UUID'],
    ['a dash too few in the middle', { kind: 'uuid' }, uuid.replace('-a165', 'a165'), 'expected a UUID'],
    ['braces', { kind: 'uuid' }, `{${uuid}}`, 'expected a UUID'],
    ['base64 without its padding', { kind: 'binary' }, 'AP8', 'expected bytes, or base64 of them'],
    ['base64 for URLs', { kind: 'binary' }, '__8=', 'expected bytes, or base64 of them'],
    ['base64 with bits left over', { kind: 'binary' }, 'AP9=', 'expected bytes, or base64 of them'],
    ['other text for bytes', { kind: 'binary' }, 'hello world!', 'expected bytes, or base64 of them'],
    ['numbers for bytes', { kind: 'binary' }, [1, 2], 'expected bytes, or base64 of them'],
    ['16-bit numbers for bytes', { kind: 'binary' }, new Uint16Array(2), 'expected bytes, or base64 of them'],
    ['text for a list', listOf(maybe, 'string'), 'abc', 'expected a list'],
    ['an object for a list', listOf(maybe, 'string'), { length: 1, 0: 'a' }, 'expected a list'],
    ['a list for a map', mapOf(maybe, 'string'), ['a'], 'expected an object'],
    ['text for a map', mapOf(maybe, 'string'), 'a', 'expected an object'],
    ['a key that is no text', mapOf(maybe, 'string'), new Map([[1, 'a']]), 'expected text'],
    ['half of a surrogate pair in a key', mapOf(maybe, 'string'), { '\ud800': 'a' }, 'half of a surrogate pair'],
    ['a list for a struct', structOf(maybe('a', 'string')), [], 'expected an object'],
    ['a number for a struct', structOf(maybe('a', 'string')), 5, 'expected an object'],
  ])('%s', (_, type, given, reason) => {
    const act = (): unknown => storedForm(type)(given)
    expect(act).toThrow(UnstorableError)
    expect(act).toThrow(reason)
  })
})

describe('a value that is missing where there must be one is refused', () => {
  const deep = structOf(always('l', listOf(always, mapOf(always, structOf(always('v', 'string'))))))
  const good = { l: [{ k: { v: 'x' } }] }

  test('when all are there, it is not', () => {
    expect(storedForm(deep)(good)).toEqual({ l: [[{ key: 'k', value: { v: 'x' } }]] })
  })

  test.each([
    ['in a struct', {}, 'expected a value for "l", found none'],
    ['in a list', { l: [{}, null] }, 'expected a value for "element", found none'],
    ['in a hole of a list', { l: Object.assign([], { length: 1 }) }, 'expected a value for "element", found none'],
    ['in a map', { l: [{ k: undefined }] }, 'expected a value for "value", found none'],
    ['at the very bottom', { l: [{ k: { v: null } }] }, 'expected a value for "v", found none'],
  ])('%s', (_, given, reason) => {
    expect(() => storedForm(deep)(given)).toThrow(new UnstorableError(reason))
  })
})
