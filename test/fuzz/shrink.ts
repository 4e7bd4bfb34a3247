import type { Value } from './values.ts'

/** Trials at the most: a smaller input is worth some time, not any. */
const MAX_TRIALS = 600

/**
 * A smaller input that fails too: fewer values, then fewer bytes of each.
 * @param fails whether values fail, for whatever reason
 */
export async function shrunk(
  values: readonly Value[],
  fails: (values: readonly Value[]) => Promise<boolean>,
): Promise<Value[]> {
  let trials = 0
  const stillFails = async (candidate: readonly Value[]): Promise<boolean> => {
    trials += 1
    return trials <= MAX_TRIALS && (await fails(candidate))
  }
  let best = await withoutPieces([...values], stillFails)
  for (const i of best.keys()) best = await withSmaller(best, i, stillFails)
  return best
}

async function withSmaller(values: Value[], i: number, fails: (values: Value[]) => Promise<boolean>): Promise<Value[]> {
  const value = values[i]
  if (value === null || value === undefined) return values
  const replaced = (bytes: readonly number[]): Value[] => values.with(i, Uint8Array.from(bytes))
  return replaced(await withoutPieces([...value], (bytes) => fails(replaced(bytes))))
}

/** Leaves out pieces, large ones first, as long as what is left still fails. */
async function withoutPieces<T>(list: T[], fails: (list: T[]) => Promise<boolean>): Promise<T[]> {
  let best = list
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const candidate = best.toSpliced(at, size)
      if (await fails(candidate)) best = candidate
      else at += size
    }
  }
  return best
}
