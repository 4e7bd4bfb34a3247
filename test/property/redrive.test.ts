import { lettersWith } from '#shared/lake/dead-letters-land.ts'
import type { RedriveOptions } from '#shared/lake/dead-letters-redrive.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { dying } from '#test/helpers/dying-store.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { mended, openIn, redrive, timeless } from '#test/helpers/mending-sensors.ts'
import { originsIn } from '#test/helpers/sensor-records.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { inTemporaryDirectory } from '#test/helpers/temporary-directory.ts'

/** Each is a row by the mended pipeline, but for the last, which it skips; the poison is a dead letter by the first one. */
const SOUND = [reading(5), reading(-2), reading(null, '2026-01-06')]
const POISON = [reading(666), timeless(1), timeless(-3)]
const VALUES = [...SOUND, ...POISON, ...POISON, reading(0), null]

/** The pipeline on its way to being mended: the number of the beast still throws, in other words. */
const halfMended: Pipeline = {
  ...mended,
  transform: ({ value }) => {
    if ((value as { value: number | null }).value === 666) throw new RangeError('still not a number')
    return mended.transform({ value } as never)
  },
}

interface Topic {
  readonly values: readonly (readonly (string | null)[])[]
  /** `partition@offset.index` of every row that the mended pipeline makes. */
  readonly rows: readonly string[]
}

function topicOf(random: Random): Topic {
  const values = Array.from({ length: random.between(1, 2) }, () =>
    Array.from({ length: random.between(1, 25) }, () => random.pick(VALUES) ?? null),
  )
  const rows = values.flatMap((of, partition) =>
    of.flatMap((value, offset) => {
      const { value: number = 0 } = (JSON.parse(value ?? '{}') ?? {}) as { value?: number | null }
      if (number === 0) return []
      const indexes = number !== null && number < 0 ? [0, 1] : [0]
      return indexes.map((index) => `${partition}@${offset}.${index}`)
    }),
  )
  return { values, rows: rows.sort() }
}

/** What the trigger delivers: every record, in pieces, some of them in another order or twice. */
async function deliverAll(store: ObjectStore, { values }: Topic, random: Random, pipeline: Pipeline): Promise<void> {
  for (const [partition, of] of values.entries()) {
    const pieces = random.pieces([...of.keys()], 9)
    for (const piece of [...random.shuffled(pieces), ...pieces.filter(() => random.chance(0.2))]) {
      const [first = 0] = piece
      await deliver(store, pipeline, sensorEvent(of.slice(first, first + piece.length), partition, first))
    }
  }
}

/** Some dead letters of some offsets, and how many landings there are at a time. */
function someOf(random: Random): Partial<Omit<RedriveOptions, 'onSlice'>> {
  const from = random.between(0, 20)
  const isAny = random.chance(0.4)
  return {
    logs: {
      ...(random.chance(0.5) ? { from, to: from + random.between(0, 10) } : {}),
      ...(random.chance(0.3) ? { partition: random.between(0, 1) } : {}),
    },
    isMeant: isAny ? () => true : lettersWith({ code: random.pick(['EVENT_INVALID', 'TRANSFORM_THREW', 'NONE']) }),
    concurrency: random.between(1, 4),
  }
}

/** Redrives in pieces, some killed at a random call, some beside one another or beside the trigger; then all of it twice. */
async function expectEachOnce(store: ObjectStore, seed: number): Promise<void> {
  const random = new Random(seed)
  const topic = topicOf(random)
  await deliverAll(store, topic, random, sensors)
  for (let round = random.between(0, 6); round > 0; round--) {
    const pipeline = random.pick([mended, halfMended, sensors]) ?? mended
    const work = [
      redrive(
        random.chance(0.5) ? dying(store, random.between(0, 40), random.chance(0.5)) : store,
        pipeline,
        someOf(random),
      ),
    ]
    if (random.chance(0.3)) work.push(redrive(store, mended, someOf(random)))
    const trigger = random.chance(0.3) ? deliverAll(store, topic, random, halfMended) : undefined
    // What a process that was killed has left behind is the point; what it would have answered nobody hears.
    await Promise.allSettled(work)
    await trigger
  }
  const { reports, next } = await redrive(store)
  expect([next, reports.map(({ error }) => error)]).toEqual([undefined, reports.map(() => null)])
  expect(await redrive(store)).toEqual({ reports: [], next: undefined })
  expect(await openIn(store)).toEqual([])
  expect(await originsIn(store, 'sensors')).toEqual(topic.rows)
  expect((await verifyLake(store, { deep: true })).faults).toEqual([])
}

const seeds = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i)

test.each(seeds(1, 40))(
  'in pieces, twice, killed anywhere: each record is a row once and none is open (seed %d)',
  (seed) => expectEachOnce(new MemoryStore(3), seed),
)

test.each(seeds(1000, 2))('the same in a directory (seed %d)', (seed) =>
  inTemporaryDirectory((directory) => expectEachOnce(new DirectoryStore(directory), seed)),
)
