import { toSpill } from './container-memory.ts'
import type { OpenSlice } from './container-slice.ts'

/** Bytes of memory that slices take, about. */
export function memoryOf(slices: readonly OpenSlice[]): number {
  return slices.reduce((sum, { memory }) => sum + memory, 0)
}

/**
 * Spills rows when slices take more memory than they may: to half of it at once, for many small row groups are bad to read.
 * @throws Error when the disk does not take them: the slices that have lost rows say so, and have to be dropped
 */
export async function relieveMemory(slices: readonly OpenSlice[], memoryBytes: number): Promise<void> {
  const memory = memoryOf(slices)
  if (memory <= memoryBytes) return
  const held = slices.flatMap((slice) =>
    slice.held.map((partition) => ({ slice, partition, memory: partition.rows.memory })),
  )
  for (const { slice, partition } of toSpill(held, memory - memoryBytes / 2)) await slice.spill(partition)
}
