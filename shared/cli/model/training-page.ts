import { formatCount } from '#shared/cli/progress.ts'
import { textTable } from '#shared/cli/text-table.ts'
import type { Training } from './training.ts'

/** What a training came to, for people: the model beside what one has without it. */
export function trainingPage(training: Training): string {
  const { version, auc, aucOfDepartureDelay, logLoss, logLossOfBaseRate, lateShare, flights, days, archive } = training
  const table = textTable(
    ['on flights held out', 'AUC', 'log loss'],
    [
      [version, auc.toFixed(4), logLoss.toFixed(4)],
      ['departure delay alone', aucOfDepartureDelay.toFixed(4), ''],
      ['share of late flights alone', (0.5).toFixed(4), logLossOfBaseRate.toFixed(4)],
    ],
  )
  const gain = auc - aucOfDepartureDelay
  const verdict =
    gain > 0
      ? `The model ranks flights better than their departure delay does, by ${gain.toFixed(4)}.`
      : `The model ranks flights no better than their departure delay does (${gain.toFixed(4)}): of so few days, what it learns of airlines and airports may be one week's weather. More months help.`
  return `Learned from ${formatCount(flights.learned)} flights of ${days.learned} days; held out are the ${formatCount(flights.heldOut)} of the last ${days.heldOut}, of which ${(lateShare * 100).toFixed(1)}% were late.

${table}

${verdict}
${archive} is what SageMaker takes. "inlet model serve" serves it on this machine.`
}
