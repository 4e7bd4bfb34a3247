import { rowPositions } from '#shared/formats/row-positions.ts'

/** Where a row of a data file comes from. */
export interface WalkedRow {
  /** Its number in the file, from 0. */
  readonly row: number
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  /** Its number among the rows of its record. */
  readonly index: number
}

/** How far a walk came, and why no farther. */
export interface Walk {
  readonly rows: number
  readonly fault: string | undefined
}

/**
 * Visits the rows of a data file, in their order.
 * @param name its ending tells the format
 */
export async function walkRows(name: string, body: Uint8Array, visit: (row: WalkedRow) => void): Promise<Walk> {
  let row = 0
  try {
    for await (const { count, ...columns } of rowPositions(name, body)) {
      for (let i = 0; i < count; i++, row++) {
        const [epoch, partition] = [columns.epoch[i] as number, columns.partition[i] as number]
        visit({ row, epoch, partition, offset: columns.offset[i] as number, index: columns.index[i] as number })
      }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { rows: row, fault: `cannot be read behind row ${row}: ${reason}` }
  }
  return { rows: row, fault: undefined }
}
