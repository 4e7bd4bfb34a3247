import process from 'node:process'

/** A contender of a benchmark: work that is done once per round. */
export interface Contender {
  readonly name: string
  readonly run: () => unknown
}

export interface Measurement {
  readonly name: string
  /** CPU time (user and system, all threads) of the first round, in microseconds. */
  readonly first: number
  /** Median CPU time of a warm round, in microseconds. */
  readonly median: number
}

/**
 * Runs contenders in turn, round after round, so that whatever else the machine does falls on all of them alike, and
 * measures CPU time, not the clock on the wall.
 */
export async function interleaved(
  contenders: readonly Contender[],
  rounds: number,
  warmUp: number,
): Promise<Measurement[]> {
  const times = contenders.map((): number[] => [])
  for (let round = 0; round < rounds + warmUp; round++) {
    for (const [i, { run }] of contenders.entries()) {
      const before = process.cpuUsage()
      await run()
      const { user, system } = process.cpuUsage(before)
      times[i]?.push(user + system)
    }
  }
  return contenders.map(({ name }, i) => {
    const all = times[i] ?? []
    const warm = all.slice(warmUp).sort((a, b) => a - b)
    return { name, first: all[0] ?? Number.NaN, median: warm[warm.length >> 1] ?? Number.NaN }
  })
}
