/** Names of the objects that a commit puts into a table's `metadata` folder. */

/**
 * Where the objects of one attempt lie. Their names hold the sequence number that they are meant for: once the table has got
 * that far, an object that it does not name can never become part of it, however late its writer is (see `vacuum-metadata.ts`).
 * @returns what a name's last part is, as `m0` or `list` → URI
 */
export function metadataLocation(table: string, sequenceNumber: number, attempt: string): (part: string) => string {
  return (part) => `${table}/metadata/inlet-${sequenceNumber}-${attempt}-${part}.avro`
}

const NAME = /\/metadata\/inlet-(?<sequence>\d+)-[0-9a-f-]{36}-(?:m\d+|list)\.avro$/

/** @returns the sequence number that an object was meant for; undefined when another writer made it */
export function sequenceOf(location: string): number | undefined {
  const sequence = NAME.exec(location)?.groups?.['sequence']
  return sequence === undefined ? undefined : Number(sequence)
}
