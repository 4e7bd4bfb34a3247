import { scoredFlights } from '#functions/flights/scored.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'

/** The scored flights, with other options of their score, as plain JavaScript has them. */
export function scoredFlightsWith(score: object): Pipeline {
  const { features, endpoint } = scoredFlights.scores[0] as (typeof scoredFlights.scores)[number]
  const { name, topic, event, row, transform } = scoredFlights
  const options = {
    endpoint,
    features,
    into: 'delayScore',
    onUnavailable: 'null',
    modelVersionInto: 'delayModel',
    ...score,
  }
  return definePipeline({
    name,
    topic,
    event,
    row,
    transform: transform as never,
    lake: { table: 'flights_scored', layout: 'files', partitionBy: { scheduledAt: 'day' } as never },
    scores: { delay: options as never },
  })
}
