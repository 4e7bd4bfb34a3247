/**
 * When a window of a table is complete.
 *
 * A window is over when the clock says so, and complete when in addition
 * 1. each partition of the topic has shown an event that is younger than the window's end by the allowed lateness, or holds
 *    nothing back: because its log has ended, or nothing came from it for the declared time and the topic has no more of it;
 * 2. everything that has landed and may be of the window is in the snapshot that a job would read;
 * 3. no batch that may hold records of it waits in the trigger's failure destination.
 * A partition from which nothing ever came holds nothing back, unless the topic is known to have records of it. What comes later
 * all the same is late data: see `due.ts`.
 */
import type { Completeness } from '#shared/pipeline/completeness.ts'
import type { TimeWindow } from '#shared/pipeline/time-window.ts'

/** A Kafka partition, of one epoch, as it stands now. Times in milliseconds since 1970. */
export interface PartitionState {
  /** As people know it: `flights-3`, and the epoch if there was another. */
  readonly name: string
  /** What the table's snapshot shows of it; null while there is nothing that can be believed. */
  readonly watermark: number | null
  /** When the last of its entries was put, whether the table has it or not; null when there is none. */
  readonly lastAt: number | null
  /** No more will come: its epoch is over, or it is a file that was read to its end. */
  readonly hasEnded: boolean
  /** Records that the topic has and the log has not; null when nobody has asked the topic. */
  readonly behind: number | null
}

/** Something that has landed and is not in the table's snapshot yet. */
export interface PendingFile {
  readonly partition: string
  /** Null when any window may be meant. */
  readonly times: TimeWindow | null
}

/** A batch in a failure destination. */
export interface WaitingBatch {
  readonly key: string
  /** The greatest timestamp of its records; null when any time may be meant. */
  readonly kafkaTime: number | null
}

/** What completeness is decided by. */
export interface TableState {
  readonly now: number
  readonly partitions: readonly PartitionState[]
  readonly pending: readonly PendingFile[]
  readonly waiting: readonly WaitingBatch[]
  /** Whether all that the table has taken was read; false while a long log is being caught up with. */
  readonly isRead: boolean
}

/** Why a window is not complete. Times in milliseconds since 1970. */
export type Obstacle =
  | { readonly kind: 'unread' }
  | { readonly kind: 'not over'; readonly until: number }
  | {
      readonly kind: 'partition'
      readonly partition: string
      readonly watermark: number | null
      /** The watermark that would do. */
      readonly needed: number
      /** When it holds nothing back any more, if nothing comes from it; null while the topic has more of it. */
      readonly idleAt: number | null
    }
  | { readonly kind: 'not in a snapshot'; readonly partition: string; readonly files: number }
  | { readonly kind: 'waits in the failure destination'; readonly key: string }

/**
 * Why a window is not complete; nothing when it is.
 * @param lastAt when the last rows came into it
 */
export function obstacles(
  window: TimeWindow,
  lastAt: number,
  latenessMs: number,
  { idleMs, clockSkewMs, quietMs }: Completeness,
  { now, partitions, pending, waiting, isRead }: TableState,
): Obstacle[] {
  if (!isRead) return [{ kind: 'unread' }]
  const needed = window.end + latenessMs
  if (now < needed) return [{ kind: 'not over', until: needed }]
  const found: Obstacle[] = []
  const isQuiet = quietMs !== null && now - lastAt >= quietMs
  for (const partition of isQuiet ? [] : partitions) {
    if (holdsBack(partition, needed, idleMs, now)) found.push(obstacleOf(partition, needed, idleMs))
  }
  const files = new Map<string, number>()
  for (const { partition, times } of pending) {
    if (times === null || overlap(times, window)) files.set(partition, (files.get(partition) ?? 0) + 1)
  }
  for (const [partition, count] of files) found.push({ kind: 'not in a snapshot', partition, files: count })
  for (const { key, kafkaTime } of waiting) {
    // An event is not younger than its record.
    if (kafkaTime === null || kafkaTime + clockSkewMs >= window.start)
      found.push({ kind: 'waits in the failure destination', key })
  }
  return found
}

function holdsBack(
  { watermark, lastAt, hasEnded, behind }: PartitionState,
  needed: number,
  idleMs: number,
  now: number,
): boolean {
  if (hasEnded || (watermark !== null && watermark >= needed)) return false
  if (behind !== null && behind > 0) return true
  return lastAt !== null && now - lastAt < idleMs
}

function obstacleOf({ name, watermark, lastAt, behind }: PartitionState, needed: number, idleMs: number): Obstacle {
  const idleAt = lastAt === null || (behind !== null && behind > 0) ? null : lastAt + idleMs
  return { kind: 'partition', partition: name, watermark, needed, idleAt }
}

function overlap(a: TimeWindow, b: TimeWindow): boolean {
  return a.start < b.end && b.start < a.end
}
