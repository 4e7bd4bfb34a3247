import { readdirSync, readFileSync } from 'node:fs'
import { decodeJson } from '#shared/codecs/json.ts'
import { fieldPath } from '#shared/pipeline/field-path.ts'

const SUITE = new URL('../../fixtures/json-test-suite/', import.meta.url)

function bytesOf(folder: string, name: string): Uint8Array {
  return readFileSync(new URL(`${folder}/${encodeURIComponent(name)}.json`, SUITE))
}

function namesIn(folder: string, kind: string): string[] {
  const files = readdirSync(new URL(`${folder}/`, SUITE)).filter((name) => name.startsWith(kind))
  return files.map((name) => name.slice(0, -'.json'.length)).sort()
}

/** The value, or the code of the rejection. */
function verdict(bytes: Uint8Array, exactIntegers: boolean): unknown {
  const step = decodeJson(bytes, { exactIntegers, fieldOf: fieldPath })
  return step.ok ? { value: step.value } : step.rejection.code
}

const DUPLICATES = new Set(['y_object_duplicated_key', 'y_object_duplicated_key_and_value'])

test('the corpus is whole', () => {
  const counts = ['y_', 'n_', 'i_'].map((kind) => namesIn('test_parsing', kind).length)
  expect([...counts, namesIn('test_transform', '').length]).toEqual([95, 188, 35, 22])
})

describe('what is JSON is accepted as what it is', () => {
  test.each(namesIn('test_parsing', 'y_').filter((name) => !DUPLICATES.has(name)))('%s', (name) => {
    const bytes = bytesOf('test_parsing', name)
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown
    expect(verdict(bytes, false)).toEqual({ value })
    expect(verdict(bytes, true)).toEqual({ value })
  })

  test.each([...DUPLICATES])('but for keys that stand there twice: %s', (name) => {
    expect(verdict(bytesOf('test_parsing', name), false)).toBe('JSON_DUPLICATE_KEY')
  })
})

describe('what is no JSON is refused', () => {
  test.each(namesIn('test_parsing', 'n_'))('%s', (name) => {
    const bytes = bytesOf('test_parsing', name)
    expect(verdict(bytes, false)).toMatch(/^(?:JSON|UTF8)_INVALID$/)
    expect(verdict(bytes, true)).toBe(verdict(bytes, false))
  })
})

/** What the suite leaves to the parser, and what is decided here; with exact integers where that differs. */
const CHOICES: Readonly<Record<string, readonly [choice: unknown, exact?: unknown]>> = {
  // A number is the double nearest to what is written (RFC 8259, section 6): one that is too small is 0 …
  i_number_double_huge_neg_exp: [{ value: [0] }],
  i_number_real_underflow: [{ value: [0] }],
  // … one that is too large would be infinite, which no one meant.
  i_number_huge_exp: ['JSON_NUMBER_OVERFLOW'],
  i_number_neg_int_huge_exp: ['JSON_NUMBER_OVERFLOW'],
  i_number_pos_double_huge_exp: ['JSON_NUMBER_OVERFLOW'],
  i_number_real_neg_overflow: ['JSON_NUMBER_OVERFLOW'],
  i_number_real_pos_overflow: ['JSON_NUMBER_OVERFLOW'],
  // Integers are exact where the contract wants bigint anywhere.
  i_number_too_big_neg_int: [
    { value: [-123_123_123_123_123_120_000_000_000_000] },
    { value: [-123_123_123_123_123_123_123_123_123_123n] },
  ],
  i_number_too_big_pos_int: [{ value: [100_000_000_000_000_000_000] }, { value: [100_000_000_000_000_000_000n] }],
  i_number_very_big_negative_int: [
    { value: [-237_462_374_673_276_900_000_000_000_000_000_000_000_000_000_000] },
    { value: [-237_462_374_673_276_894_279_832_749_832_423_479_823_246_327_846n] },
  ],
  // Half of a surrogate pair cannot be written as UTF-8, so no lake could hold it.
  i_object_key_lone_2nd_surrogate: ['JSON_LONE_SURROGATE'],
  i_string_1st_surrogate_but_2nd_missing: ['JSON_LONE_SURROGATE'],
  i_string_1st_valid_surrogate_2nd_invalid: ['JSON_LONE_SURROGATE'],
  i_string_incomplete_surrogate_and_escape_valid: ['JSON_LONE_SURROGATE'],
  i_string_incomplete_surrogate_pair: ['JSON_LONE_SURROGATE'],
  i_string_incomplete_surrogates_escape_valid: ['JSON_LONE_SURROGATE'],
  i_string_invalid_lonely_surrogate: ['JSON_LONE_SURROGATE'],
  i_string_invalid_surrogate: ['JSON_LONE_SURROGATE'],
  'i_string_inverted_surrogates_U+1D11E': ['JSON_LONE_SURROGATE'],
  i_string_lone_second_surrogate: ['JSON_LONE_SURROGATE'],
  // JSON between systems is UTF-8 (section 8.1), and what is no UTF-8 would be replaced without a word.
  'i_string_UTF-8_invalid_sequence': ['UTF8_INVALID'],
  'i_string_UTF8_surrogate_U+D800': ['UTF8_INVALID'],
  'i_string_invalid_utf-8': ['UTF8_INVALID'],
  i_string_iso_latin_1: ['UTF8_INVALID'],
  i_string_lone_utf8_continuation_byte: ['UTF8_INVALID'],
  i_string_not_in_unicode_range: ['UTF8_INVALID'],
  i_string_overlong_sequence_2_bytes: ['UTF8_INVALID'],
  i_string_overlong_sequence_6_bytes: ['UTF8_INVALID'],
  i_string_overlong_sequence_6_bytes_null: ['UTF8_INVALID'],
  'i_string_truncated-utf-8': ['UTF8_INVALID'],
  'i_string_UTF-16LE_with_BOM': ['UTF8_INVALID'],
  i_string_utf16BE_no_BOM: ['UTF8_INVALID'],
  i_string_utf16LE_no_BOM: ['UTF8_INVALID'],
  // Deeper than any table: 64 levels.
  i_structure_500_nested_arrays: ['JSON_TOO_DEEP'],
  // Must not be added (section 8.1), and may be ignored; a producer that adds it is to be told.
  'i_structure_UTF-8_BOM_empty_object': ['JSON_INVALID'],
}

describe('what is left to the parser', () => {
  test('is decided', () => {
    expect(Object.keys(CHOICES).sort()).toEqual(namesIn('test_parsing', 'i_'))
  })

  test.each(Object.entries(CHOICES))('%s', (name, [choice, exact = choice]) => {
    expect(verdict(bytesOf('test_parsing', name), false)).toEqual(choice)
    expect(verdict(bytesOf('test_parsing', name), true)).toEqual(exact)
  })
})

/** Texts that parsers read in different ways. */
const READINGS: Readonly<Record<string, readonly [reading: unknown, exact?: unknown]>> = {
  'number_-9223372036854775808': [{ value: [-(2 ** 63)] }, { value: [-(2n ** 63n)] }],
  'number_-9223372036854775809': [{ value: [-(2 ** 63)] }, { value: [-(2n ** 63n) - 1n] }],
  'number_1.0': [{ value: [1] }],
  'number_1.000000000000000005': [{ value: [1] }],
  number_1000000000000000: [{ value: [1e15] }],
  number_10000000000000000999: [{ value: [10_000_000_000_000_000_000] }, { value: [10_000_000_000_000_000_999n] }],
  'number_1e-999': [{ value: [0] }],
  number_1e6: [{ value: [1e6] }],
  number_9223372036854775807: [{ value: [2 ** 63] }, { value: [2n ** 63n - 1n] }],
  number_9223372036854775808: [{ value: [2 ** 63] }, { value: [2n ** 63n] }],
  // Equal only under a normalization that no one has asked for: two keys.
  object_key_nfc_nfd: [{ value: { é: 'NFC', 'e\u0301': 'NFD' } }],
  object_key_nfd_nfc: [{ value: { 'e\u0301': 'NFD', é: 'NFC' } }],
  object_same_key_different_values: ['JSON_DUPLICATE_KEY'],
  object_same_key_same_value: ['JSON_DUPLICATE_KEY'],
  object_same_key_unclear_values: ['JSON_DUPLICATE_KEY'],
  string_1_escaped_invalid_codepoint: ['JSON_LONE_SURROGATE'],
  string_1_invalid_codepoint: ['UTF8_INVALID'],
  string_2_escaped_invalid_codepoints: ['JSON_LONE_SURROGATE'],
  string_2_invalid_codepoints: ['UTF8_INVALID'],
  string_3_escaped_invalid_codepoints: ['JSON_LONE_SURROGATE'],
  string_3_invalid_codepoints: ['UTF8_INVALID'],
  string_with_escaped_NULL: [{ value: ['A\u0000B'] }],
}

describe('what parsers read in different ways', () => {
  test('is decided', () => {
    expect(Object.keys(READINGS).sort()).toEqual(namesIn('test_transform', '').sort())
  })

  test.each(Object.entries(READINGS))('%s', (name, [reading, exact = reading]) => {
    expect(verdict(bytesOf('test_transform', name), false)).toEqual(reading)
    expect(verdict(bytesOf('test_transform', name), true)).toEqual(exact)
  })
})
