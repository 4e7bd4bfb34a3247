import fc from 'fast-check'
import { decodeEntry, encodeEntry, entryFaults, entryOf, type LogEntry } from '#shared/lake/log-entry.ts'
import type { DataFile, FileStatistics, SliceContent } from '#shared/pipeline/commit.ts'
import { recordsAt } from '#test/helpers/slices.ts'

const CONTENT: SliceContent = {
  files: [
    {
      table: 'flights',
      path: 'tables/flights/data/day=2013-01-01/a.parquet',
      partition: { day: 15706, origin: 'JFK', isLate: false, gate: null },
      rows: 3,
      bytes: 4000,
      sha256: 'ab',
    },
    { table: 'flights_dead_letters', path: 'b', partition: {}, rows: 1, bytes: 300, sha256: 'cd' },
  ],
  rejected: [9],
  counts: { records: 5, written: 3, skipped: 1, rejected: 1, rows: 3 },
  pipelineVersion: 'v',
  schemaId: 's',
  specId: 'p',
  watermark: 1357030800000,
}
const RECORDS = recordsAt(5, 6, 7, 9, 12)
const COMMIT = entryOf({ kind: 'commit', start: 3 }, RECORDS, CONTENT, 'attempt')

const bytesOf = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

describe('entryOf', () => {
  test('a commit reaches from the end of the one before to its last record', () => {
    expect(COMMIT).toMatchObject({ kind: 'commit', start: 3, end: 12, amends: null, number: 0, rejected: [[9, 9]] })
    expect(COMMIT.covered).toEqual([
      [5, 7],
      [9, 9],
      [12, 12],
    ])
  })

  test('an amendment reaches from its first record to its last', () => {
    const amendment = entryOf({ kind: 'amendment', amends: 3, number: 2 }, RECORDS, CONTENT, 'attempt')
    expect(amendment).toMatchObject({ kind: 'amendment', start: 5, end: 12, amends: 3, number: 2 })
    expect(entryFaults(amendment)).toEqual([])
  })

  test('contradicts itself in nothing', () => {
    expect(entryFaults(COMMIT)).toEqual([])
  })
})

describe('scores of an entry', () => {
  const scores = {
    delay: { scored: 1, unscored: { MODEL_ERROR: 1 }, waiting: { THROTTLED: 1 }, deferred: [[7, 7]] },
  } as const
  const scored = (changes: object): LogEntry =>
    entryOf(
      { kind: 'commit', start: 3 },
      RECORDS,
      { ...CONTENT, scores: { delay: { ...scores.delay, ...changes } } },
      'attempt',
    )

  test('are kept, and there are none where the pipeline has none', () => {
    expect(decodeEntry('k', encodeEntry(scored({})))).toMatchObject({ scores })
    expect(entryFaults(scored({}))).toEqual([])
    expect(COMMIT).not.toHaveProperty('scores')
  })

  test.each([
    ['of more rows than there are', { scored: 2 }, 'its score delay is of 4 rows, and it has 3'],
    ['that wait where nothing is deferred', { deferred: [] }, 'its score delay defers 0 records, and 1 rows wait'],
    ['deferred, and none waits', { waiting: {} }, 'its score delay defers 1 records, and 0 rows wait'],
    [
      'of a record that is rejected',
      { deferred: [[9, 9]] },
      'its score delay defers offsets 9…9, of which it has no rows',
    ],
    ['of an offset in a gap', { deferred: [[8, 8]] }, 'its score delay defers offsets 8…8, of which it has no rows'],
  ])('%s are a fault', (_name, changes, fault) => {
    expect(entryFaults(scored(changes))).toEqual([fault])
  })
})

describe('encodeEntry and decodeEntry', () => {
  test('give back what was put in', () => {
    const offsets = fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 53 - 2 }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(offsets, fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })), (list, watermark) => {
        const records = recordsAt(...list.sort((a, b) => a - b))
        const start = records[0]?.offset ?? 0
        const rejected = list.filter((_, i) => i % 3 === 0)
        const entry = entryOf(
          { kind: 'commit', start },
          records,
          { ...CONTENT, rejected, watermark: watermark === 0 ? 0 : watermark },
          'a',
        )
        expect(decodeEntry('k', encodeEntry(entry))).toEqual(entry)
      }),
    )
  })

  test("keep what a file's table has a lock for, and know files without it", () => {
    const statistics: FileStatistics = {
      splits: [4, 9000],
      fields: [
        [1, 100, 3, 0, null, 'AAAA', '/w=='],
        [7, 20, 3, 3, 0, null, null],
      ],
    }
    const [first, ...others] = COMMIT.files as [DataFile, ...DataFile[]]
    const commit: LogEntry = { ...COMMIT, files: [{ ...first, spec: 2, statistics }, ...others] }
    expect(decodeEntry('k', encodeEntry(commit))).toEqual(commit)
    const wrong = (field: unknown): unknown => ({
      ...commit,
      files: [{ ...first, statistics: { splits: [], fields: [field] } }],
    })
    for (const field of [
      [1],
      [1, 2, 3, 4, null, 'no base64!', null],
      [1, 2, 3, 4, null, null, null, 'more'],
      [-1, 2, 3, 4, null, null, null],
    ])
      expect(() => decodeEntry('k', bytesOf(wrong(field)))).toThrow('k: files.0.statistics.fields.0')
  })

  test('are one line of JSON', () => {
    const text = Buffer.from(encodeEntry(COMMIT)).toString()
    expect(text.indexOf('\n')).toBe(text.length - 1)
    expect(JSON.parse(text)).toEqual(COMMIT)
  })

  test.each<[string, Uint8Array]>([
    ['nothing', bytesOf('')],
    ['half of an entry', encodeEntry(COMMIT).slice(0, 200)],
    ['bytes that are not UTF-8', Buffer.from(JSON.stringify({ ...COMMIT, attempt: '\xff' }), 'latin1')],
    ['another JSON value', bytesOf([COMMIT])],
    ['a later format', bytesOf({ ...COMMIT, format: 2 })],
    ['a field that is not known', bytesOf({ ...COMMIT, extra: 1 })],
    ['a field that is not known, in a file', bytesOf({ ...COMMIT, files: [{ ...CONTENT.files[0], extra: 1 }] })],
    ['no attempt', bytesOf({ ...COMMIT, attempt: undefined })],
    ['a negative offset', bytesOf({ ...COMMIT, start: -1 })],
    ['an offset beyond 2^53', bytesOf({ ...COMMIT, end: 2 ** 53 })],
    ['a range of one number', bytesOf({ ...COMMIT, covered: [[5]] })],
    ['a fraction of a record', bytesOf({ ...COMMIT, counts: { ...COMMIT.counts, written: 0.5 } })],
  ])('%s is a corrupt log, and the message names the object', (_, body) => {
    const decode = (): LogEntry => decodeEntry('log/x/commits/1.json', body)
    expect(decode).toThrow('log/x/commits/1.json')
    expect(decode).toThrow(expect.objectContaining({ code: 'LOG_CORRUPT' }))
  })
})

describe('entryFaults', () => {
  const faultOf = (changes: Partial<LogEntry>): string => entryFaults({ ...COMMIT, ...changes }).join('; ')
  const counts = COMMIT.counts

  test.each<[Partial<LogEntry>, RegExp]>([
    [
      {
        covered: [
          [5, 7],
          [7, 9],
          [12, 12],
        ],
      },
      /7…9 overlaps or is out of order/,
    ],
    [
      {
        covered: [
          [12, 12],
          [5, 7],
          [9, 9],
        ],
      },
      /5…7 overlaps or is out of order/,
    ],
    [
      {
        covered: [
          [7, 5],
          [9, 9],
          [12, 12],
        ],
      },
      /7…5 overlaps or is out of order/,
    ],
    [{ start: 6 }, /5…7 overlaps or is out of order/],
    [{ end: 13 }, /last covered offset is 12, not its end 13/],
    [{ end: 11 }, /last covered offset is 12, not its end 11/],
    [{ counts: { ...counts, records: 6 } }, /covers 5 offsets but counts 6 records/],
    [
      {
        rejected: [
          [9, 9],
          [12, 12],
        ],
      },
      /lists 2 rejected offsets but counts 1/,
    ],
    [{ counts: { ...counts, skipped: 2 } }, /written 3 \+ skipped 2 \+ rejected 1 is not 5 records/],
    [{ counts: { ...counts, rows: 4 } }, /files hold 4 rows, not 4 and 1 dead letters/],
    [{ files: [] }, /files hold 0 rows, not 3 and 1 dead letters/],
  ])('%j contradicts the rest', (changes, fault) => {
    expect(faultOf(changes)).toMatch(fault)
  })
})
