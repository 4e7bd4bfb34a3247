import * as z from 'zod'
import { flights } from '#functions/flights/pipeline.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'

/** The flights, with the score of infra/sagemaker on their way. Options as plain JavaScript has them. */
export function scoredFlights(score: object): Pipeline {
  const Row = z.object({
    ...(flights.row as z.ZodObject<Readonly<Record<string, z.ZodType>>>).shape,
    delayScore: z.number().nullable(),
    delayModel: z.string().nullable(),
    delayReason: z.string().nullable(),
  })
  const transform = flights.transform as (input: unknown) => object
  return definePipeline({
    name: 'flights',
    topic: 'flights',
    event: flights.event,
    row: Row,
    transform: (input: unknown) =>
      ({ ...transform(input), delayScore: null, delayModel: null, delayReason: null }) as never,
    lake: { table: 'flights', layout: 'files', partitionBy: { scheduledAt: 'day' } } as never,
    scores: {
      delay: {
        endpoint: 'flight-delay',
        features: (r: Readonly<Record<string, unknown>>) =>
          r['departureDelayMinutes'] === null
            ? null
            : ([
                r['carrier'],
                r['origin'],
                r['destination'],
                (r['scheduledAt'] as Date).toISOString(),
                r['distanceMiles'],
                r['departureDelayMinutes'],
              ] as string[]),
        into: 'delayScore' as never,
        modelVersionInto: 'delayModel' as never,
        reasonInto: 'delayReason' as never,
        ...score,
      },
    },
  })
}
