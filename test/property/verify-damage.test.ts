/**
 * Random lakes are proven whole, with the very numbers of what is in them; and whatever is then damaged in one of them is
 * found and told, every kind of damage in many lakes.
 */
import { verifyLake } from '#shared/lake/verify.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { DAMAGES } from '#test/helpers/lake-damage.ts'
import { type RandomLake, randomLake, visits } from '#test/helpers/random-lake.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { StoredLake } from '#test/helpers/stored-lake.ts'

const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1)
const lakes = new Map<number, RandomLake>()

beforeAll(async () => {
  for (const seed of SEEDS) lakes.set(seed, await randomLake(new Random(seed)))
})

function tablesOf({ format }: RandomLake): Table[] {
  const { pipeline, deadLetters } = compileFlow(visits(format))
  return [pipeline.table, deadLetters]
}

test('a lake as it was written has no faults, and its numbers are true', async () => {
  for (const [seed, { store, truth, orphans }] of lakes) {
    const proof = await verifyLake(store, { deep: true })
    const { records, rows, skipped, rejected, resolved, gaps } = truth
    const dead = { deadLetters: proof.checks.deadLetters >= rejected + resolved, resolved: proof.resolvedDeadLetters }
    expect({ seed, faults: proof.faults, orphans: proof.orphans.map(({ path }) => path).sort(), ...dead }).toEqual({
      seed,
      faults: [],
      orphans,
      deadLetters: true,
      resolved,
    })
    expect({ seed, counts: proof.counts, gaps: proof.gaps, rows: proof.checks.rows }).toEqual({
      seed,
      counts: { records, written: records - skipped - rejected, skipped, rejected, rows },
      gaps,
      rows,
    })
    expect(proof.checks).toMatchObject({ files: proof.files, checksums: proof.files })
    expect(await verifyLake(store, { deep: false })).toMatchObject({ faults: [], counts: proof.counts })
  }
})

test.each(DAMAGES)('$what: it is found', async ({ deep, inflict }) => {
  let inflicted = 0
  for (const [seed, whole] of lakes) {
    const lake = await StoredLake.of(whole.store, tablesOf(whole))
    const told = await inflict(lake, new Random(seed))
    if (told === undefined) continue
    inflicted += 1
    const { faults } = await verifyLake(lake.store, { deep })
    expect({ seed, faults: faults.map(({ fault }) => fault) }).toEqual({
      seed,
      faults: expect.arrayContaining([expect.stringMatching(told)]),
    })
  }
  expect(inflicted).toBeGreaterThan(lakes.size / 4)
})
