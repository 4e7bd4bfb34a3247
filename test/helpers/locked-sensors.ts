import { locked } from './lake-table.ts'
import { sensors as declared } from './sensors.ts'

/** The pipeline of readings, with the lock that its table gets: for Iceberg tables. */
export const sensors = locked(declared)
