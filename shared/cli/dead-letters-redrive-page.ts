import { positionOf } from '#shared/pipeline/record.ts'
import type { RedriveFailure } from '#shared/runtimes/redrive-tally.ts'
import type { RedriveOutcome } from './dead-letters-redrive.ts'
import { printable } from './printable.ts'
import { formatCount } from './progress.ts'
import { textTable } from './text-table.ts'

/** What a redrive came to, or would come to, as a page for people. */
export function redrivePage(outcome: RedriveOutcome): string {
  const { dryRun, failures, leftObjects } = outcome
  return [
    ...(dryRun ? ['This is a dry run: it tells what would become of the records, and writes nothing.\n'] : []),
    countsText(outcome),
    ...codesText(outcome),
    ...failures.map(failureLine),
    ...leftObjects.map(({ key, reason }) => `left: ${printable(key)}: ${printable(reason)}`),
    ...leftText(outcome),
  ].join('\n')
}

function countsText(outcome: RedriveOutcome): string {
  const { pipeline, failureDestination, found, written, skipped, rejected, resolved, failed } = outcome
  if (failureDestination === null) {
    if (found === 0) return `No such dead letters of ${pipeline} are open.`
    const head = ['found', 'landed as rows', 'skipped', 'rejected again', 'already resolved', 'failed']
    return textTable(head, [[found, written, skipped, rejected, resolved, failed].map(formatCount)])
  }
  if (found === 0) return `No batches of ${pipeline} wait in ${printable(failureDestination)}.`
  const head = ['found', 'landed as rows', 'skipped', 'rejected', 'already in the lake', 'failed']
  return textTable(head, [[found, written, skipped, rejected, resolved, failed].map(formatCount)])
}

/** Why records would be refused: known of a dry run only, for what is refused is told by its dead letters. */
function codesText({ codes, dryRun, rejected, pipeline }: RedriveOutcome): string[] {
  if (dryRun && rejected > 0) {
    const rows = Object.entries(codes).sort(([, a], [, b]) => b - a)
    const cells = rows.map(([code, records]) => [code, formatCount(records)])
    return ['', textTable(['would be rejected with', 'records'], cells)]
  }
  return rejected === 0 ? [] : [`What ${pipeline} rejects is a dead letter again; "dead-letters ls" says why.`]
}

function failureLine({ topic, partition, firstOffset, lastOffset, records, code, message }: RedriveFailure): string {
  const position = printable(positionOf({ topic, partition, offset: firstOffset }))
  const count = `${formatCount(records)} ${records === 1 ? 'record' : 'records'}`
  return `failed: ${position}…${lastOffset}, ${count}: ${code}: ${printable(message)}`
}

function leftText({ left, leftObjects, failures, failed }: RedriveOutcome): string[] {
  const lines: string[] = []
  const untold = left.unreadable + left.failed - leftObjects.length
  if (untold > 0) lines.push(`left: ${formatCount(untold)} objects more`)
  if (left.foreign === 1) lines.push('1 object is a batch of another function or topic, and stays where it is.')
  if (left.foreign > 1)
    lines.push(
      `${formatCount(left.foreign)} objects are batches of other functions or topics, and stay where they are.`,
    )
  const told = failures.reduce((sum, { records }) => sum + records, 0)
  if (failed > told) lines.push(`failed: ${formatCount(failed - told)} records more`)
  return lines
}
