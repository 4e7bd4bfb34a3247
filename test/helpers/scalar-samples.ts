import type { ColumnType } from '#shared/pipeline/columns.ts'
import { decimal, timestamp, typed } from './columns.ts'
import type { Stored } from './stored.ts'

/** A value as a row may give it, and what its column must hold then. */
export type Sample = readonly [given: unknown, stored: Stored]

/** A type of column with values that lie at its edges. */
export interface SampledType {
  readonly name: string
  readonly type: ColumnType
  readonly samples: readonly Sample[]
}

export const same = (...values: Stored[]): Sample[] => values.map((value) => [value, value])
const float = Math.fround
const nines = (count: number): string => '9'.repeat(count)

const TEXTS = [
  '',
  'a',
  ' ',
  'null',
  '"quoted\\"\n\r\t\u0000\u0008',
  'U+2028 \u2028, U+2029 \u2029, U+0085 \u0085',
  'é中\ufb01',
  '😀 \u{10ffff}',
  '\uffff',
  'x'.repeat(5000),
]
export const UUID = '0f8fad5b-d9cb-469f-a165-70867728950e'

/** A date and time without zone, and its ticks since 1970, as computed by hand or by other software. */
const LOCAL_US: Sample[] = [
  ['1970-01-01T00:00:00', 0n],
  ['1970-01-01T00:00', 0n],
  ['2013-01-01T10:15:00.5', 1_357_035_300_500_000n],
  ['2013-01-01T10:15:00.123456', 1_357_035_300_123_456n],
  ['2013-01-01T10:15:00.123456000', 1_357_035_300_123_456n],
  ['1969-12-31T23:59:59.999999', -1n],
  ['1969-12-31T23:59:59', -1_000_000n],
  ['0001-01-01T00:00:00', -62_135_596_800_000_000n],
  ['0001-01-01T00:00:00.000001', -62_135_596_799_999_999n],
  ['2255-06-05T23:47:34.740993', 9_007_199_254_740_993n],
  ['9999-12-31T23:59:59.999999', 253_402_300_799_999_999n],
]
const LOCAL_MS: Sample[] = [
  ['1970-01-01T00:00:00', 0n],
  ['2013-01-01T10:15:00.1', 1_357_035_300_100n],
  ['2013-01-01T10:15:00.123000', 1_357_035_300_123n],
  ['1969-12-31T23:59:59.999', -1n],
  ['0001-01-01T00:00:00', -62_135_596_800_000n],
  ['9999-12-31T23:59:59.999', 253_402_300_799_999n],
]
const inUTC = (samples: readonly Sample[]): Sample[] => samples.map(([text, ticks]) => [`${String(text)}Z`, ticks])

export const SCALARS: readonly SampledType[] = [
  { name: 'string', type: typed('string'), samples: same(...TEXTS) },
  {
    name: 'binary',
    type: typed('binary'),
    samples: [
      [new Uint8Array(), ''],
      [Uint8Array.of(0, 255, 10, 127, 128), '00ff0a7f80'],
      [Buffer.alloc(5000, 0xff), 'ff'.repeat(5000)],
      ['', ''],
      ['AP8=', '00ff'],
      ['////', 'ffffff'],
    ],
  },
  { name: 'boolean', type: typed('boolean'), samples: same(true, false, false, true, true) },
  { name: 'int32', type: typed('int32'), samples: same(0, 1, -1, 2_147_483_647, -2_147_483_648) },
  {
    name: 'int64',
    type: typed('int64'),
    samples: [
      ...same(0n, 1n, -1n, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n),
      [0, 0n],
      [-0, 0n],
      [-7, -7n],
      [Number.MAX_SAFE_INTEGER, 9_007_199_254_740_991n],
      [Number.MIN_SAFE_INTEGER, -9_007_199_254_740_991n],
    ],
  },
  {
    name: 'float',
    type: typed('float'),
    samples: [
      ...same(0, -0, 1.5, -1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
      ...same(2 ** -149, float(3.4028234663852886e38), 16_777_216),
      [0.1, 0.10000000149011612],
      [16_777_217, 16_777_216],
      [-1e-50, -0],
    ],
  },
  {
    name: 'double',
    type: typed('double'),
    samples: [
      ...same(0, -0, 0.1, -0.1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
      ...same(5e-324, Number.MAX_VALUE, 1e21, 123_456_789_012_345_680_000, 1 / 3, 2 ** 53),
    ],
  },
  {
    name: 'date',
    type: typed('date'),
    samples: [
      ['1970-01-01', 0],
      ['1969-12-31', -1],
      ['2013-01-31', 15_736],
      ['2000-02-29', 11_016],
      ['0001-01-01', -719_162],
      ['9999-12-31', 2_932_896],
    ],
  },
  {
    name: 'uuid',
    type: typed('uuid'),
    samples: [
      [UUID, UUID.replaceAll('-', '')],
      [UUID.toUpperCase(), UUID.replaceAll('-', '')],
      [UUID.replaceAll('-', ''), UUID.replaceAll('-', '')],
      ['00000000-0000-0000-0000-000000000000', '0'.repeat(32)],
      ['ffffffff-ffff-ffff-ffff-ffffffffffff', 'f'.repeat(32)],
    ],
  },
  {
    name: 'timestamp',
    type: timestamp('us', true),
    samples: [
      ...inUTC(LOCAL_US),
      ['2013-01-01T10:15:00+05:30', 1_357_015_500_000_000n],
      ['2013-01-01T10:15:00.000001-0800', 1_357_064_100_000_001n],
      [new Date(0), 0n],
      [new Date(-1), -1000n],
      [new Date('2013-01-01T10:15:00.123Z'), 1_357_035_300_123_000n],
      [new Date('0001-01-01T00:00:00.001Z'), -62_135_596_799_999_000n],
      [new Date('2300-01-01T00:00:00.001Z'), 10_413_792_000_001_000n],
      [new Date('9999-12-31T23:59:59.999Z'), 253_402_300_799_999_000n],
      [1_357_035_300_123, 1_357_035_300_123_000n],
    ],
  },
  {
    name: 'timestamp_ms',
    type: timestamp('ms', true),
    samples: [
      ...inUTC(LOCAL_MS),
      ['2013-01-01T10:15:00.123+05:30', 1_357_015_500_123n],
      [new Date(-1), -1n],
      [new Date('9999-12-31T23:59:59.999Z'), 253_402_300_799_999n],
    ],
  },
  { name: 'local_timestamp', type: timestamp('us', false), samples: LOCAL_US },
  { name: 'local_timestamp_ms', type: timestamp('ms', false), samples: LOCAL_MS },
  ...[1, 9, 10, 18, 19, 28, 38].map((precision): SampledType => {
    const greatest = BigInt(nines(precision))
    return {
      name: `decimal_${precision}_0`,
      type: decimal(precision, 0),
      samples: [
        ['0', 0n],
        ['-0', 0n],
        ['-1', -1n],
        [nines(precision), greatest],
        [`-${nines(precision)}`, -greatest],
        ['007', 7n],
      ],
    }
  }),
  {
    name: 'decimal_9_2',
    type: decimal(9, 2),
    samples: [
      ['12.5', 1250n],
      ['-12.50', -1250n],
      ['-0.05', -5n],
      ['3', 300n],
      ['3.1400', 314n],
      ['-9999999.99', -999_999_999n],
    ],
  },
  {
    name: 'decimal_18_18',
    type: decimal(18, 18),
    samples: [
      ['0.000000000000000001', 1n],
      [`-0.${nines(18)}`, -999_999_999_999_999_999n],
      ['0', 0n],
    ],
  },
  {
    name: 'decimal_38_10',
    type: decimal(38, 10),
    samples: [
      ['-1234567890123456789012345678.0123456789', -12_345_678_901_234_567_890_123_456_780_123_456_789n],
      [`${nines(28)}.${nines(10)}`, BigInt(nines(38))],
      ['-0.0000000001', -1n],
      ['0.0', 0n],
    ],
  },
  { name: 'decimal_38_38', type: decimal(38, 38), samples: [[`-0.${nines(38)}`, -BigInt(nines(38))]] },
]

/** Times that ISO 8601 has no four digits for: of a `timestamp`, and what it holds then. */
export const BEYOND_THE_CALENDAR: readonly Sample[] = [
  ['0001-01-01T00:00:00+14:00', -62_135_647_200_000_000n],
  ['0000-01-01T00:00:00Z', -62_167_219_200_000_000n],
  ['9999-12-31T23:59:59.999999-12:00', 253_402_343_999_999_999n],
  [new Date(8.64e15), 8_640_000_000_000_000_000n],
  [new Date(-8.64e15), -8_640_000_000_000_000_000n],
  // What a Kafka record may carry: any whole number.
  [Number.MAX_SAFE_INTEGER, 9_007_199_254_740_991_000n],
  [Number.MIN_SAFE_INTEGER, -9_007_199_254_740_991_000n],
]
