/**
 * The buckets that Amazon S3 Tables gives its tables, one each. Their names end as no other bucket's may (S3 User Guide, "General
 * purpose bucket naming rules"). The data files of such a table lie there, outside of the lake, and the log names them by URI.
 */
const IN_BUCKET = /^(?<bucket>s3:\/\/[a-z0-9.-]+--table-s3)(?:\/(?<key>.*))?$/

/** @returns the bucket of a file that lies in a table's own, as a URL, and its key there; undefined for keys of the lake */
export function placeInTableBucket(path: string): { readonly bucket: string; readonly key: string } | undefined {
  const { bucket, key = '' } = IN_BUCKET.exec(path)?.groups ?? {}
  return bucket === undefined ? undefined : { bucket, key }
}
