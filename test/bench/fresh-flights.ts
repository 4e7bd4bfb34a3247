import { flights } from '#functions/flights/pipeline.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'

/** Flights of a topic of their own, of which each slice that has landed enters the table at once. */
export const freshFlights: Pipeline = { ...flights, topic: 'fresh-flights', commit: 'immediate' }
