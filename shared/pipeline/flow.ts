import { deadLetterTable } from './dead-letter.ts'
import type { Pipeline } from './pipeline.ts'
import { compileRecordPath, type RecordPath } from './record-path.ts'
import type { Table } from './table.ts'

/** A pipeline made ready to run: compiled once, used for every batch. */
export interface Flow {
  readonly pipeline: Pipeline
  readonly deadLetters: Table
  readonly recordPath: RecordPath
}

export function compileFlow(pipeline: Pipeline): Flow {
  return { pipeline, deadLetters: deadLetterTable(pipeline), recordPath: compileRecordPath(pipeline) }
}
