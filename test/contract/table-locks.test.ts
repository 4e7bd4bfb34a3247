import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { flights } from '#functions/flights/pipeline.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'
import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import { lockText, parseLock, type TableLock } from '#shared/pipeline/table-lock.ts'
import { land, recordsOf } from '#test/helpers/landing.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const lockFiles = readdirSync(path.join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('table.lock.json'))
  .map((file) => `functions/${file}`)

test.each([...lockFiles, 'shared/pipeline/dead-letter.lock.json'])('%s is written as Inlet writes it', (file) => {
  const text = readFileSync(path.join(ROOT, file), 'utf8')
  expect(text).toBe(lockText(parseLock(JSON.parse(text))))
})

/** Ids that tables out there have: of these lines none may ever change, and none may be given to another field. */
const PUBLISHED = {
  flights:
    '1 scheduledAt, 2 carrier, 3 flight, 4 tailNumber, 5 origin, 6 destination, 7 cancelled, 8 departedAt, ' +
    '9 departureDelayMinutes, 10 scheduledArrivalTime, 11 arrivalTime, 12 arrivalDelayMinutes, 13 airTimeMinutes, 14 distanceMiles',
  deadLetters:
    '1 pipeline, 2 pipeline_version, 3 topic, 4 stage, 5 code, 6 field, 7 message, 8 key, 9 value, 10 headers, ' +
    '11 headers.element, 12 headers.element.name, 13 headers.element.value',
}

test.each([
  ['flights', flights.table.lock, PUBLISHED.flights],
  ['dead letters', deadLetterTable(flights).lock, PUBLISHED.deadLetters],
])('the ids of %s are those that were published', (_, lock, published) => {
  const { columns, retired } = lock as TableLock
  const fields = [...columns, ...retired].map(({ id, path: place }) => `${id} ${place.join('.')}`)
  expect(fields).toEqual(expect.arrayContaining(published.split(', ')))
})

test('a commit says of each file by which spec it is partitioned, and what its fields hold', async () => {
  const [flight = ''] =
    readFileSync(path.join(ROOT, 'events/flights/batch.json'), 'utf8').match(/"value": ?"([^"]+)"/) ?? []
  const value = Buffer.from(flight.replace(/^.*"([^"]+)"$/, '$1'), 'base64')
  const { store } = await land(flights, recordsOf([value, '{}']))
  const files: DataFile[] = []
  for await (const { log } of logsOf(store)) for await (const entry of log.commits()) files.push(...entry.files)
  expect(files.map(({ table, spec, rows }) => [table, spec, rows])).toEqual([
    ['flights', 0, 1],
    ['flights_dead_letters', 0, 1],
  ])
  for (const [i, lock] of [flights.table.lock, deadLetterTable(flights).lock].entries()) {
    const leaves = (lock as TableLock).columns.filter(({ type }) => !['list', 'map', 'struct'].includes(type))
    expect(files[i]?.statistics?.fields.map(([id]) => id)).toEqual(leaves.map(({ id }) => id))
    expect(files[i]?.statistics?.splits).toEqual([4])
  }
})
