import fc from 'fast-check'
import type { EntryPlace } from '#shared/lake/log-keys.ts'
import {
  amendmentKey,
  amendmentsPrefix,
  commitKey,
  commitsBefore,
  commitsPrefix,
  dataFileKey,
  dataPrefix,
  LOG_ROOT,
  type LogId,
  logDigest,
  logPrefix,
  MAX_OFFSET,
  markerKey,
  markersPrefix,
  parseDataFileKey,
  parseLogKey,
  parseMarkerKey,
  TABLES_ROOT,
} from '#shared/lake/log-keys.ts'
import { keyFault } from '#shared/lake/object-store.ts'

const ID: LogId = {
  pipeline: 'flights',
  generation: 0,
  cluster: 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
  topic: 'flights.v1',
  epoch: 2,
  partition: 7,
}
const LOG = logPrefix(ID)
const ATTEMPT = '6357e0b2-0e6a-4b86-a0b4-70df934c2e31'

const offset = fc.integer({ min: 0, max: MAX_OFFSET - 1 })
const number = fc.integer({ min: 0, max: 999_999 })
const place: fc.Arbitrary<EntryPlace> = fc.oneof(
  fc.record({ kind: fc.constant('commit' as const), start: offset }),
  fc.record({ kind: fc.constant('amendment' as const), amends: offset, number }),
)

describe('logs', () => {
  test('have a prefix that says whose records they hold', () => {
    expect(LOG).toBe('log/flights/g0/demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5/flights.v1/e2/p7/')
  })

  test('share no prefix and no digest when they differ in anything', () => {
    const others: LogId[] = [
      { ...ID, pipeline: 'flights2' },
      { ...ID, generation: 1 },
      { ...ID, cluster: 'demo' },
      { ...ID, topic: 'flights' },
      { ...ID, epoch: 20 },
      { ...ID, partition: 70 },
    ]
    const prefixes = [ID, ...others].map(logPrefix)
    for (const a of prefixes) expect(prefixes.filter((b) => b.startsWith(a))).toEqual([a])
    expect(new Set(prefixes.map(logDigest)).size).toBe(prefixes.length)
  })

  test.each(['local:a/b', 'C:\\lake\\day=1', '50%', '%2F', 'ünïcode', 'a b?#[x]'])(
    'whose cluster is %j are found by any key of theirs',
    (cluster) => {
      const id = { ...ID, cluster }
      const prefix = logPrefix(id)
      expect(keyFault(commitKey(prefix, 5))).toBeUndefined()
      for (const key of [commitKey(prefix, 5), amendmentKey(prefix, 5, 0), markerKey(prefix, 'flights', 5, 0)])
        expect(parseLogKey(key)).toEqual({ id, prefix })
    },
  )

  test('are not found by keys of something else', () => {
    const directory = `${dataPrefix('flights')}day=2013-01-01/x.parquet`
    for (const key of [directory, 'log/flights/g0/c/t/e0', 'log/x.json', `old/${LOG}commits/1.json`])
      expect(parseLogKey(key)).toBeUndefined()
  })

  test('keep commits, amendments and markers beside one another, away from the tables', () => {
    const prefixes = [commitsPrefix(LOG), amendmentsPrefix(LOG), markersPrefix(LOG, 'flights')]
    for (const a of prefixes) {
      expect(prefixes.filter((b) => b.startsWith(a))).toEqual([a])
      expect(a.startsWith(LOG) && LOG.startsWith(LOG_ROOT)).toBe(true)
      expect(a.startsWith(TABLES_ROOT)).toBe(false)
    }
  })
})

describe('commits', () => {
  test('are listed newest first', () => {
    fc.assert(
      fc.property(offset, offset, (a, b) => {
        const later = commitKey(LOG, Math.max(a, b))
        const earlier = commitKey(LOG, Math.min(a, b))
        expect(later <= earlier).toBe(true)
        expect(later === earlier).toBe(a === b)
      }),
    )
  })

  test('that begin at or before an offset are listed behind commitsBefore, all others before it', () => {
    fc.assert(
      fc.property(offset, offset, (start, at) => {
        expect(commitKey(LOG, start) > commitsBefore(LOG, at)).toBe(start <= at)
      }),
    )
  })

  test.each([
    [0, '9007199254740991'],
    [MAX_OFFSET - 1, '0000000000000001'],
  ])('have a place for offset %i', (start, name) => {
    expect(commitKey(LOG, start)).toBe(`${LOG}commits/${name}.json`)
  })
})

describe('amendments and markers', () => {
  test('are listed by the commit that they amend, then by number', () => {
    fc.assert(
      fc.property(offset, number, offset, number, (a, m, b, n) => {
        const isBefore = a === b ? m < n : a < b
        expect(amendmentKey(LOG, a, m) < amendmentKey(LOG, b, n)).toBe(isBefore)
        expect(markerKey(LOG, 'flights', a, m) < markerKey(LOG, 'flights', b, n)).toBe(isBefore)
      }),
    )
  })

  test('of one commit or table are not among those of another', () => {
    expect(amendmentKey(LOG, 12, 0).startsWith(amendmentsPrefix(LOG, 12))).toBe(true)
    expect(amendmentKey(LOG, 12, 0).startsWith(amendmentsPrefix(LOG, 1))).toBe(false)
    expect(markerKey(LOG, 'flights_dead_letters', 1, 0).startsWith(markersPrefix(LOG, 'flights'))).toBe(false)
  })

  test('a marker names its amendment', () => {
    fc.assert(
      fc.property(offset, number, (amends, n) => {
        expect(parseMarkerKey(markerKey(LOG, 'flights', amends, n))).toEqual({ amends, number: n })
      }),
    )
  })
})

describe('data files', () => {
  const file = {
    table: 'flights',
    partitionPath: 'day=2013-01-01/origin=JFK',
    partition: {},
    rows: 1,
    body: new Uint8Array(),
  }
  const formats = ['parquet', 'jsonl.gz', 'jsonl.zst'] as const

  test('lie below their table partition, and the name says for which place of which log they were written', () => {
    fc.assert(
      fc.property(place, fc.nat(1000), fc.constantFrom(...formats), (at, sequence, format) => {
        const key = dataFileKey(LOG, at, ATTEMPT, sequence, { ...file, format })
        expect(key.startsWith(`tables/flights/data/${file.partitionPath}/`)).toBe(true)
        expect(parseDataFileKey(key)).toEqual({ log: logDigest(LOG), place: at })
      }),
    )
  })

  test('lie directly below the table when it is not partitioned', () => {
    const key = dataFileKey(LOG, { kind: 'commit', start: 5 }, ATTEMPT, 0, {
      ...file,
      partitionPath: '',
      format: 'parquet',
    })
    expect(key).toBe(`tables/flights/data/${logDigest(LOG)}-c5-${ATTEMPT}-0.parquet`)
  })

  test('have names of their own, by attempt and sequence', () => {
    const at: EntryPlace = { kind: 'commit', start: 5 }
    const names = [
      dataFileKey(LOG, at, ATTEMPT, 0, { ...file, format: 'parquet' }),
      dataFileKey(LOG, at, ATTEMPT, 1, { ...file, format: 'parquet' }),
      dataFileKey(LOG, at, ATTEMPT.replace('6', '7'), 0, { ...file, format: 'parquet' }),
    ]
    expect(new Set(names).size).toBe(3)
  })

  test.each([
    '00000-0-6357e0b2-0e6a-4b86-a0b4-70df934c2e31-00001.parquet',
    'part-00000-6357e0b2-0e6a-4b86-a0b4-70df934c2e31-c000.snappy.parquet',
    `0123456789ab-c5-${ATTEMPT}-0.parquet.crc`,
    `0123456789ab-c5-${ATTEMPT}-0.orc`,
    `x0123456789ab-c5-${ATTEMPT}-0.parquet`,
    `0123456789ab-c-${ATTEMPT}-0.parquet`,
    `0123456789ab-a5-${ATTEMPT}-0.parquet`,
    `0123456789ab-c5-0.parquet`,
    `0123456789ab-c5-${ATTEMPT}-0.parquet/_SUCCESS`,
  ])('%s is not of Inlet', (name) => {
    expect(parseDataFileKey(`tables/flights/data/day=2013-01-01/${name}`)).toBeUndefined()
  })
})
