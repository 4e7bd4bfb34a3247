/** A value that its column cannot hold unchanged: a fault of the data, so the record becomes a dead letter. */
export class UnstorableError extends Error {
  override readonly name = 'UnstorableError'
  /** The column, once it is known. */
  readonly column: string | null

  constructor(message: string, column: string | null = null) {
    super(message)
    this.column = column
  }
}
