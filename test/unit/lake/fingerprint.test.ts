import { fingerprintOf, GAP_SKEW_MS, requireFitsGap, requireSameRecord } from '#shared/lake/fingerprint.ts'
import { rangesOf } from '#shared/pipeline/commit.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'

const T = Date.UTC(2013, 0, 1)
const WAY_OUT = 'run "inlet epoch flights"'
const at = (offset: number, seconds: number, changes: Partial<KafkaRecord> = {}): KafkaRecord =>
  kafkaRecord(`value ${offset}`, { offset, timestamp: T + 1000 * seconds, ...changes })
/** Producers' clocks differ: timestamps do not ascend with offsets. */
const RECORDS = [at(10, 5), at(11, 2), at(13, 9), at(14, 7)]
const ENTRY = { covered: rangesOf(RECORDS.map(({ offset }) => offset)), fingerprint: fingerprintOf(RECORDS) }

describe('fingerprintOf', () => {
  test('has the least and the greatest timestamp, wherever they are', () => {
    expect(fingerprintOf(RECORDS)).toMatchObject({ minTimestamp: T + 2000, maxTimestamp: T + 9000 })
  })

  test('tells the first and the last record from any other of another time, key or value', () => {
    const bytes = (text: string): Uint8Array => Buffer.from(text)
    const variants = [
      at(1, 0, { key: null, value: null }),
      at(1, 0, { key: bytes(''), value: null }),
      at(1, 0, { key: null, value: bytes('') }),
      at(1, 0, { key: bytes(''), value: bytes('') }),
      at(1, 0, { key: bytes('a'), value: bytes('bc') }),
      at(1, 0, { key: bytes('ab'), value: bytes('c') }),
      at(1, 0, { key: bytes('abc'), value: bytes('') }),
      at(1, 0, { key: null, value: bytes('abc') }),
      at(1, 1, { key: null, value: bytes('abc') }),
    ]
    expect(new Set(variants.map((record) => fingerprintOf([record]).first)).size).toBe(variants.length)
    for (const record of variants) expect(fingerprintOf([record]).last).toBe(fingerprintOf([record]).first)
  })

  test('does not depend on headers, which filters and replays may change', () => {
    const withHeader = { ...at(10, 5), headers: [{ name: 'trace', value: new Uint8Array() }] }
    expect(fingerprintOf([withHeader])).toEqual(fingerprintOf([at(10, 5)]))
  })
})

describe('requireSameRecord', () => {
  test('accepts every record of the entry', () => {
    for (const record of RECORDS) expect(() => requireSameRecord(record, ENTRY, WAY_OUT)).not.toThrow()
  })

  test.each([
    ['before all others', at(11, 1)],
    ['behind all others', at(11, 10)],
    ['with another value, first', at(10, 5, { value: Buffer.from('x') })],
    ['with another key, last', at(14, 7, { key: Buffer.from('k') })],
    ['with another time, last', at(14, 8)],
    ['that is a tombstone, first', at(10, 5, { value: null })],
  ])('refuses a record %s', (_, record) => {
    const require = (): void => requireSameRecord(record, ENTRY, WAY_OUT)
    expect(require).toThrow(expect.objectContaining({ code: 'OFFSETS_RESTARTED', canRetry: false }))
    expect(require).toThrow(`flights-0@${record.offset}`)
    expect(require).toThrow(WAY_OUT)
  })

  test('the time range includes both ends', () => {
    for (const seconds of [2, 9]) expect(() => requireSameRecord(at(11, seconds), ENTRY, WAY_OUT)).not.toThrow()
  })

  test('a timestamp that is no date is told as a number', () => {
    expect(() =>
      requireSameRecord(at(11, 1), { ...ENTRY, fingerprint: { ...ENTRY.fingerprint, maxTimestamp: 1e18 } }, WAY_OUT),
    ).toThrow('1000000000000000000')
  })
})

describe('requireFitsGap', () => {
  const gap = (ms: number): KafkaRecord => ({ ...at(12, 9), timestamp: T + 9000 + ms })

  test.each([-365 * GAP_SKEW_MS, 0, GAP_SKEW_MS])('accepts a record that is younger by %i ms', (ms) => {
    expect(() => requireFitsGap(gap(ms), ENTRY, WAY_OUT)).not.toThrow()
  })

  test('refuses one that is younger by more than a day', () => {
    const require = (): void => requireFitsGap(gap(GAP_SKEW_MS + 1), ENTRY, WAY_OUT)
    expect(require).toThrow(expect.objectContaining({ code: 'OFFSETS_RESTARTED' }))
    expect(require).toThrow(/flights-0@12 .*2013-01-01T00:00:09.000Z/)
    expect(GAP_SKEW_MS).toBe(86_400_000)
  })
})
