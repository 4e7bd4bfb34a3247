import { openStore } from '#shared/lake/open-store.ts'
import { type Verification, verifyLake } from '#shared/lake/verify.ts'
import { requireLake } from './missing-lake.ts'
import { formatBytes, formatCount, Progress } from './progress.ts'

const MAX_LISTED = 20

/** @throws InletError LOG_CORRUPT when there is no commit log at all: an empty proof would prove nothing */
export async function verifyWithProgress(lake: string, deep: boolean): Promise<Verification> {
  let progress: Progress | undefined
  try {
    const store = openStore(lake)
    await requireLake(store)
    return await verifyLake(store, {
      deep,
      onFiles: (total) => {
        progress = new Progress('verify', total, 'files')
      },
      onFile: () => progress?.advance(1),
    })
  } finally {
    progress?.stop()
  }
}

/** A verification as a page for people: what was counted, what is wrong, what is left over. */
export function verificationText(verification: Verification, lake: string): string {
  const { logs, commits, amendments, files, bytes, counts, gaps, faults, orphans } = verification
  const lines = [
    `lake           ${lake}`,
    `commit logs    ${formatCount(logs)}, with ${formatCount(commits)} commits and ${formatCount(amendments)} amendments`,
    `records        ${formatCount(counts.records)} = ${formatCount(counts.written)} written + ${formatCount(counts.rejected)} rejected + ${formatCount(counts.skipped)} skipped`,
    `rows           ${formatCount(counts.rows)}, and ${formatCount(counts.rejected)} dead letters`,
    `data files     ${formatCount(files)}, ${formatBytes(bytes)}`,
    `gaps           ${formatCount(gaps)} offsets that no delivery has brought`,
    `orphans        ${formatCount(orphans.length)} files that no commit names; readers of the log never see them`,
    ...listed(orphans.map(({ path, bytes: size }) => `  ${path} (${formatBytes(size)})`)),
    `faults         ${formatCount(faults.length)}`,
    ...listed(faults.map(({ object, fault }) => `  ${object}: ${fault}`)),
    faults.length === 0
      ? 'Everything the log says is there, and nothing is there twice.'
      : 'The lake is NOT what its log says.',
  ]
  return lines.join('\n')
}

function listed(lines: readonly string[]): readonly string[] {
  if (lines.length <= MAX_LISTED) return lines
  return [...lines.slice(0, MAX_LISTED), `  … and ${formatCount(lines.length - MAX_LISTED)} more; --json lists all`]
}
