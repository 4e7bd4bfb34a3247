/** When a slice lands, whichever comes first. */
export interface RotationLimits {
  /** Of its largest file, as far as it is encoded. */
  readonly fileBytes: number
  readonly rows: number
  /** Since its first record came: a record is in the lake at most about this much later. */
  readonly ageMs: number
}

/** What is known of a slice that is open. */
export interface RotationState {
  readonly largestFile: number
  readonly rows: number
  readonly openedAt: number
}

/** When a slice is to land, in milliseconds: in the past when one of its sizes says so. */
export function rotationTime(slice: RotationState, limits: RotationLimits): number {
  const isFull = slice.largestFile >= limits.fileBytes || slice.rows >= limits.rows
  return isFull ? Number.NEGATIVE_INFINITY : slice.openedAt + limits.ageMs
}
