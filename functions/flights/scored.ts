import * as z from 'zod'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { Flight, FlightRow, flightRow } from './pipeline.ts'
import lock from './scored.lock.json' with { type: 'json' }

/** A flight, and how likely it was to arrive late when it departed. */
const ScoredFlight = FlightRow.extend({
  /** The probability that it arrives more than 15 minutes late, from 0 to 1. */
  delayScore: z.number().min(0).max(1).nullable(),
  delayModel: z.string().nullable(),
})

/**
 * The flights, scored on their way by the model of infra/sagemaker, in a table of their own: for this machine, and for whoever
 * wants the same deployed. `flights` itself is deployed without a score, for its endpoint would cost.
 */
export const scoredFlights = definePipeline({
  name: 'flights-scored',
  topic: 'flights',
  event: Flight,
  row: ScoredFlight,
  transform: (input) => ({ ...flightRow(input), delayScore: null, delayModel: null }),
  lake: { table: 'flights_scored', partitionBy: { scheduledAt: 'day' }, lock },
  scores: {
    delay: {
      endpoint: 'flight-delay',
      // What is not known at the departure is not in it. A flight that was cancelled has none.
      features: (row) =>
        row.departureDelayMinutes === null
          ? null
          : [
              row.carrier,
              row.origin,
              row.destination,
              row.scheduledAt.toISOString(),
              row.distanceMiles,
              row.departureDelayMinutes,
            ],
      into: 'delayScore',
      modelVersionInto: 'delayModel',
      // The limits of serverless endpoints hold for the others, too.
      serverless: true,
    },
  },
})
