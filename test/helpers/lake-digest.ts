import { answerSql } from '#shared/cli/sql.ts'
import { openStore } from '#shared/lake/open-store.ts'

/** What a table holds, independent of how its rows lie in files: how many, and digests over all of them. */
export async function tableDigest(lake: string, table: string): Promise<unknown> {
  const sql = `SELECT count(*)::INT AS rows, count(DISTINCT (_epoch, _kafka_partition, _offset, _index))::INT AS distinct_rows,
    bit_xor(hash(t))::VARCHAR AS xored, sum(hash(t) % 1000000007)::VARCHAR AS summed FROM ${table} AS t`
  const { columns, rows } = await answerSql(sql, openStore(lake))
  return Object.fromEntries(columns.map((column, i) => [column, rows[0]?.[i]]))
}
