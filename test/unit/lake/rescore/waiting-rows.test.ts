import fc from 'fast-check'
import { toBytes } from '#shared/lake/iceberg/single-value.ts'
import type { LiveFile } from '#shared/lake/iceberg/table-files.ts'
import type { LogEntry } from '#shared/lake/log-entry.ts'
import type { LogStore } from '#shared/lake/log-store.ts'
import type { WaitingEntry } from '#shared/lake/rescore/waiting-entries.ts'
import { WaitingRows } from '#shared/lake/rescore/waiting-rows.ts'
import { inRanges, type OffsetRange } from '#shared/pipeline/commit.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'

const { table } = locked(scoredSensors())

/** An entry of a log: what it covers, and which of its offsets wait for the score. */
interface Told {
  readonly cluster: string
  readonly epoch: number
  readonly partition: number
  readonly range: OffsetRange
  readonly deferred: readonly OffsetRange[]
}

function waitingEntry({ cluster, epoch, partition, range: [start, end], deferred }: Told): WaitingEntry {
  const counts = { scored: 0, unscored: {}, waiting: {}, deferred }
  return {
    id: { pipeline: 'sensors', generation: 0, cluster, topic: 'sensors', epoch, partition },
    log: { prefix: `${cluster}/${epoch}/${partition}` } as LogStore,
    place: { kind: 'commit', start },
    entry: { start, end, scores: { risk: counts } } as unknown as LogEntry,
    isWaiting: false,
  }
}

/** Entries of a log one behind another, as offsets of some of them wait. */
const ranges = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(2)), { maxLength: 8 }).map((steps) => {
  let next = 0
  return steps.map(([before, waits, behind]): { range: OffsetRange; deferred: OffsetRange[] } => {
    const first = next + before
    const start = next
    next = first + waits + 1 + behind
    return { range: [start, next - 1], deferred: [[first, first + waits]] }
  })
})
const logs = fc
  .array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(1), fc.nat(2), ranges), { maxLength: 5 })
  .map((all) => {
    const known = new Map(
      all.map(([cluster, epoch, partition, some]) => [
        `${cluster}${epoch}${partition}`,
        { cluster, epoch, partition, some },
      ]),
    )
    return [...known.values()].flatMap(({ some, ...log }) => some.map((one): Told => ({ ...log, ...one })))
  })
const bounds = (most: number) =>
  fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)

test('the entry of a row is one that says so, wherever there is one', () => {
  fc.assert(
    fc.property(logs, fc.nat(1), fc.nat(2), fc.nat(40), (told, epoch, partition, offset) => {
      const entries = told.map(waitingEntry)
      const row = { _epoch: epoch, _kafka_partition: partition, _offset: offset }
      const saying = entries.filter(
        ({ id, entry }) =>
          id.epoch === epoch && id.partition === partition && inRanges(offset, entry.scores?.['risk']?.deferred ?? []),
      )
      const found = new WaitingRows(entries, table).entryOf(row, 'risk')
      expect(saying.length === 0 ? [undefined] : saying).toContain(found)
    }),
  )
})

test('a file is looked into when an entry may have rows in it, and no other', () => {
  const idOf = (name: string): number => table.columns.find((one) => one.name === name)?.id as number
  fc.assert(
    fc.property(logs, bounds(1), bounds(2), bounds(40), (told, epochs, partitions, offsets) => {
      const of = { _epoch: epochs, _kafka_partition: partitions, _offset: offsets }
      const side = (i: 0 | 1) =>
        new Map(
          Object.entries(of).map(([name, bound]) => [
            idOf(name),
            toBytes(name === '_offset' ? 'long' : 'int', name === '_offset' ? BigInt(bound[i]) : bound[i]),
          ]),
        )
      const file = { lowerBounds: side(0), upperBounds: side(1) } as unknown as LiveFile
      const within = (value: number, [low, high]: readonly [number, number]): boolean => low <= value && value <= high
      const expected = told.some(
        ({ epoch, partition, range: [start, end] }) =>
          within(epoch, epochs) && within(partition, partitions) && end >= offsets[0] && start <= offsets[1],
      )
      expect(new WaitingRows(told.map(waitingEntry), table).mayBeIn(file)).toBe(expected)
    }),
  )
})
