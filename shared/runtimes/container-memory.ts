/** Bytes of memory that the footer of a file keeps for each column of a row group, until the file ends. */
const FOOTER_PER_COLUMN = 3500

/** Bytes of memory that a row group takes that was spilled. */
export function groupMemory(columns: number): number {
  return columns * FOOTER_PER_COLUMN
}

/** Rows that could be spilled. */
interface Spillable {
  /** Bytes that are given back. */
  readonly memory: number
}

/** A row group of less is hardly worth its place in the footer. */
export const LEAST_SPILL_BYTES = 32 * 1024

/**
 * What to spill so that memory falls to a goal: the largest first, for large row groups compress and read well.
 * @param held in any order
 * @param excess bytes of memory to be given back
 * @returns none when what is left is too little in too many places: then a slice has to land
 */
export function toSpill<T extends Spillable>(held: readonly T[], excess: number): T[] {
  const largestFirst = held.filter(({ memory }) => memory >= LEAST_SPILL_BYTES).sort((a, b) => b.memory - a.memory)
  const chosen: T[] = []
  let left = excess
  for (const each of largestFirst) {
    if (left <= 0) break
    chosen.push(each)
    left -= each.memory
  }
  return chosen
}
