/** Which runs of a job are due: the decision alone, of what is known. */
import type { Completeness } from '#shared/pipeline/completeness.ts'
import type { Job } from '#shared/pipeline/job.ts'
import { parseWindow, type TimeWindow, type Windows } from '#shared/pipeline/time-window.ts'
import { type Obstacle, obstacles, type TableState } from './completeness.ts'
import type { Progress, WindowProgress } from './progress.ts'

/** The scope of runs that are for the whole table. */
export const WHOLE_TABLE = 'table'

/** A run that there was, or is: the last one of its job and scope. */
export interface LastRun {
  /** The runs of a scope are counted from 0. */
  readonly revision: number
  /** Rows, or small files, of the scope when it was decided. */
  readonly measure: number
  readonly isOpen: boolean
}

/** What is known of the runs of a job, by scope. */
export type KnownRuns = Readonly<Record<string, LastRun>>

export interface DueRun {
  /** The name of a window, of a stretch of time, or `WHOLE_TABLE`. */
  readonly scope: string
  readonly revision: number
  readonly measure: number
  /** Null for the whole table. */
  readonly window: TimeWindow | null
}

/** What a table is, as far as the decision goes. */
export interface WatchedTable {
  readonly windows: Windows | null
  readonly completeness: Completeness
}

/** The oldest windows come first. */
export function dueRuns(
  job: Job,
  table: WatchedTable,
  progress: Progress,
  state: TableState,
  known: KnownRuns,
): readonly DueRun[] {
  const { when } = job
  switch (when.kind) {
    case 'partitionComplete':
      return dueWindows(job, table, progress, state, known, when.latenessMs)
    case 'smallFiles':
      return table.windows === null
        ? dueByMeasure(WHOLE_TABLE, null, progress.smallFiles, when.files, known)
        : Object.entries(progress.windows).flatMap(([name, { smallFiles }]) =>
            dueByMeasure(name, windowNamed(table, name), smallFiles, when.files, known),
          )
    case 'rows':
      return dueByMeasure(WHOLE_TABLE, null, progress.rows, when.rows, known)
    case 'every': {
      const scope = stretchAt(state.now, when.periodMs)
      if (progress.rows === 0 || known[scope] !== undefined) return []
      return [{ scope, revision: 0, measure: progress.rows, window: null }]
    }
  }
}

function dueWindows(
  { rerunAfter }: Job,
  table: WatchedTable,
  progress: Progress,
  state: TableState,
  known: KnownRuns,
  latenessMs: number,
): DueRun[] {
  const due: DueRun[] = []
  for (const [scope, { rows, lastAt }] of Object.entries(progress.windows)) {
    const last = known[scope]
    if (last !== undefined && (last.isOpen || rerunAfter === null || rows - last.measure < rerunAfter)) continue
    const window = windowNamed(table, scope)
    if (window === null || obstacles(window, lastAt, latenessMs, table.completeness, state).length > 0) continue
    due.push({ scope, revision: (last?.revision ?? -1) + 1, measure: rows, window })
  }
  return due.sort((a, b) => (a.window as TimeWindow).start - (b.window as TimeWindow).start)
}

function dueByMeasure(
  scope: string,
  window: TimeWindow | null,
  measure: number,
  threshold: number,
  known: KnownRuns,
): DueRun[] {
  const last = known[scope]
  if (last?.isOpen === true || measure - (last?.measure ?? 0) < threshold) return []
  return [{ scope, revision: (last?.revision ?? -1) + 1, measure, window }]
}

/** Whether a job is not due for a window as long as no more rows come into it, whatever else becomes of the table. */
export function isSettled(
  { when, rerunAfter }: Job,
  { rows, smallFiles }: Pick<WindowProgress, 'rows' | 'smallFiles'>,
  last: LastRun | undefined,
): boolean {
  if (last?.isOpen === true) return false
  if (when.kind === 'smallFiles') return smallFiles - (last?.measure ?? 0) < when.files
  if (when.kind !== 'partitionComplete') return true
  return last !== undefined && (rerunAfter === null || rows - last.measure < rerunAfter)
}

function windowNamed({ windows }: WatchedTable, name: string): TimeWindow | null {
  return windows === null ? null : (parseWindow(windows.grain, name) ?? null)
}

/** `2026-11-23T14-00Z`: when a stretch of time begins. */
export function stretchAt(now: number, periodMs: number): string {
  const start = new Date(Math.floor(now / periodMs) * periodMs)
  return `${start.toISOString().slice(0, 16).replace(':', '-')}Z`
}

/** Why a job does or does not run for a scope: what `inlet jobs why` shows. */
export type Verdict =
  | { readonly verdict: 'due'; readonly revision: number }
  | { readonly verdict: 'running'; readonly revision: number }
  | { readonly verdict: 'done'; readonly revision: number; readonly lateRows: number }
  | { readonly verdict: 'not complete'; readonly obstacles: readonly Obstacle[]; readonly lateRows: number }
  | { readonly verdict: 'too little'; readonly measure: number; readonly needed: number }
  | { readonly verdict: 'no data' }

/** @param scope as in `DueRun` */
export function verdictOf(
  job: Job,
  table: WatchedTable,
  progress: Progress,
  state: TableState,
  known: KnownRuns,
  scope: string,
): Verdict {
  const last = known[scope]
  if (last?.isOpen === true) return { verdict: 'running', revision: last.revision }
  const due = dueRuns(job, table, progress, state, known).find((run) => run.scope === scope)
  if (due !== undefined) return { verdict: 'due', revision: due.revision }
  const { when } = job
  const found = progress.windows[scope]
  if (when.kind === 'smallFiles' || when.kind === 'rows') {
    const had = scope === WHOLE_TABLE ? progress : found
    const measure = (when.kind === 'rows' ? progress.rows : (had?.smallFiles ?? 0)) - (last?.measure ?? 0)
    return { verdict: 'too little', measure, needed: when.kind === 'rows' ? when.rows : when.files }
  }
  if (when.kind === 'every' && last !== undefined) return { verdict: 'done', revision: last.revision, lateRows: 0 }
  const window = windowNamed(table, scope)
  if (when.kind === 'every' || found === undefined || window === null) return { verdict: 'no data' }
  const lateRows = last === undefined ? 0 : Math.max(0, found.rows - last.measure)
  if (last !== undefined && (job.rerunAfter === null || lateRows < job.rerunAfter))
    return { verdict: 'done', revision: last.revision, lateRows }
  const because = obstacles(window, found.lastAt, when.latenessMs, table.completeness, state)
  return { verdict: 'not complete', obstacles: because, lateRows }
}
