import { gzipSync } from 'node:zlib'
import { entryOf, type LogEntry } from '#shared/lake/log-entry.ts'
import { EntryRows } from '#shared/lake/verify/entry-rows.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'
import { recordsAt } from '#test/helpers/slices.ts'

const ID = { pipeline: 'p', generation: 0, cluster: 'c', topic: 't', epoch: 2, partition: 7 }

/** An entry of the offsets 10, 11, 12, 14, of which 11 and 12 were rejected, and one of the others written. */
function entry(): LogEntry {
  const counts = { records: 4, written: 1, skipped: 1, rejected: 2, rows: 0 }
  const content = {
    files: [],
    rejected: [11, 12],
    counts,
    pipelineVersion: '',
    schemaId: '',
    specId: '',
    watermark: null,
  }
  return entryOf({ kind: 'commit', start: 5 }, recordsAt(10, 11, 12, 14), content, 'a')
}

type Origin = readonly [offset: number, index: number, partition?: number, epoch?: number]

/** A file of rows, each told by where it comes from. */
function file(table: string, origins: readonly Origin[]): [DataFile, Uint8Array] {
  const lines = origins.map(([_offset, _index, _kafka_partition = 7, _epoch = 2]) =>
    JSON.stringify({ _epoch, _kafka_partition, _offset, _index }),
  )
  const named = { table, path: `${table}.jsonl.gz`, partition: {}, rows: origins.length, bytes: 0, sha256: '' }
  return [named, gzipSync(lines.map((line) => `${line}\n`).join(''))]
}

const DEAD: readonly Origin[] = [
  [11, 0],
  [12, 0],
]

/** What is wrong with files of these rows and dead letters, and then with all of them together. */
async function faultsOf(rows: readonly Origin[], deadLetters = DEAD) {
  const proof = new EntryRows(entry(), ID)
  return {
    rows: await proof.enter(...file('t', rows)),
    deadLetters: await proof.enter(...file('t_dead_letters', deadLetters)),
    balance: proof.balance(),
  }
}

const NONE = { rows: [], deadLetters: [], balance: [] }

test('several rows of one record, from several files', async () => {
  expect(
    await faultsOf([
      [14, 0],
      [14, 1],
      [14, 2],
    ]),
  ).toEqual(NONE)
  const proof = new EntryRows(entry(), ID)
  for (const rows of [
    [
      [14, 2],
      [14, 0],
    ],
    DEAD,
    [[14, 1]],
  ] as const)
    expect(await proof.enter(...file(rows === DEAD ? 't_dead_letters' : 't', rows))).toEqual([])
  expect(proof.balance()).toEqual([])
})

test.each<[what: string, row: Origin, fault: string]>([
  ['a gap', [13, 0], 'its row 1 is row 0 of offset 13, which the entry does not cover'],
  ['an offset before', [5, 0], 'its row 1 is row 0 of offset 5, which the entry does not cover'],
  ['a rejected record', [12, 0], 'its row 1 is row 0 of offset 12, whose record was rejected'],
  ['no possible index', [14, -1], 'its row 1 is row -1 of offset 14, which no row can be'],
  ['another partition', [14, 0, 8], 'its row 1 is of partition 8 in epoch 2'],
  ['another epoch', [14, 0, 7, 1], 'its row 1 is of partition 7 in epoch 1'],
])('a row of %s', async (_, row, fault) => {
  expect(await faultsOf([[14, 0], row])).toEqual({ ...NONE, rows: [fault] })
  expect(await faultsOf([[14, 0], row, row, row])).toEqual({ ...NONE, rows: [`${fault}, and 2 more like it`] })
})

test('a dead letter of a record that was not rejected', async () => {
  const fault = 'its row 2 is row 0 of offset 14, whose record was not rejected'
  expect(await faultsOf([[14, 0]], [...DEAD, [14, 0]])).toEqual({ ...NONE, deadLetters: [fault] })
})

test.each<[what: string, rows: readonly Origin[], deadLetters: readonly Origin[], fault: string]>([
  [
    'a row twice',
    [
      [14, 0],
      [14, 0],
    ],
    DEAD,
    'row 0 of offset 14 is there twice',
  ],
  ['a row lost', [[14, 1]], DEAD, 'row 0 of offset 14 is missing, but there is row 1'],
  ['all rows lost', [], DEAD, 'its files hold rows of 0 records, but it counts 1 as written'],
  [
    'rows of a skipped one',
    [
      [10, 0],
      [14, 0],
    ],
    DEAD,
    'its files hold rows of 2 records, but it counts 1 as written',
  ],
  ['a dead letter lost', [[14, 0]], [[11, 0]], 'offset 12 was rejected, but there is no dead letter of it'],
  [
    'two of one',
    [[14, 0]],
    [
      [11, 0],
      [11, 1],
    ],
    'offset 12 was rejected, but there is no dead letter of it',
  ],
])('%s', async (_, rows, deadLetters, fault) => {
  expect(await faultsOf(rows, deadLetters)).toEqual({ ...NONE, balance: [fault] })
})

test('a dead letter twice', async () => {
  const { balance } = await faultsOf([[14, 0]], [...DEAD, [12, 0]])
  expect(balance).toEqual(['among its dead letters, row 0 of offset 12 is there twice'])
})

test('another number of rows than the entry says, and a file that ends too soon', async () => {
  const [named, body] = file('t', [[14, 0]])
  expect(await new EntryRows(entry(), ID).enter({ ...named, rows: 3 }, body)).toEqual(['holds 1 rows, not 3'])
  expect(await new EntryRows(entry(), ID).enter(named, body.subarray(0, -10))).toEqual([
    expect.stringMatching(/^cannot be read behind row 0: .*unexpected end of file$/),
  ])
})
