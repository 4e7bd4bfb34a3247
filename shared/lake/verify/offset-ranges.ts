import type { OffsetRange } from '#shared/pipeline/commit.ts'

/** The offsets that any of some lists of ranges hold, as the fewest ascending ranges. The lists may be in any order. */
export function united(...lists: readonly (readonly OffsetRange[])[]): OffsetRange[] {
  const ascending = lists
    .flat()
    .filter(([first, last]) => first <= last)
    .sort((a, b) => a[0] - b[0])
  const ranges: [number, number][] = []
  for (const [first, last] of ascending) {
    const before = ranges.at(-1)
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else ranges.push([first, last])
  }
  return ranges
}

/** The offsets of ascending ranges that are not in others, ascending too. */
export function without(ranges: readonly OffsetRange[], others: readonly OffsetRange[]): OffsetRange[] {
  const left: OffsetRange[] = []
  let i = 0
  for (const [first, last] of ranges) {
    let from = first
    while ((others[i]?.[1] ?? Number.POSITIVE_INFINITY) < from) i += 1
    for (let j = i; from <= last; j++) {
      const [start, end] = others[j] ?? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
      if (start > from) left.push([from, Math.min(last, start - 1)])
      if (start > last) break
      from = end + 1
    }
  }
  return left
}

/** The offsets that are in both of two lists of ascending ranges. */
export function common(some: readonly OffsetRange[], others: readonly OffsetRange[]): OffsetRange[] {
  return without(some, without(some, others))
}
