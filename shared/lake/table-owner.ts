/** Whose table it is: one generation of a pipeline. */
export interface TableOwner {
  readonly pipeline: string
  readonly generation: number
  readonly table: string
}

/** Below it, the marks of all tables; outside of the logs and of every table's location. */
export const MARKS_ROOT = 'marks/'

/** What is kept of a table beside its log: its marks, and which table it is. */
export function marksPrefix({ pipeline, generation, table }: TableOwner): string {
  return `${MARKS_ROOT}${pipeline}/g${generation}/${table}/`
}
