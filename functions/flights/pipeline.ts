import * as z from 'zod'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { newYorkInstant } from './new-york-time.ts'
import lock from './table.lock.json' with { type: 'json' }

const Airport = z.string().regex(/^[A-Z]{3}$/)
const ClockTime = z.iso.time({ precision: -1 })

/** What flight operations publishes once a flight has ended or is cancelled. Clock times are local to their airport. */
export const Flight = z.object({
  carrier: z.string().regex(/^[A-Z0-9]{2}$/),
  flight: z.int32().min(1).max(9999),
  tailNumber: z
    .string()
    .regex(/^[A-Z][A-Z0-9]{1,5}$/)
    .nullable(),
  /** The airports of New York: their clock is what `scheduledDeparture` is read by. */
  origin: z.enum(['EWR', 'JFK', 'LGA']),
  destination: Airport,
  /** `2013-01-01T05:15`; the length leaves no room for the Z that `local` allows too. */
  scheduledDeparture: z.iso.datetime({ local: true, precision: -1 }).length(16),
  departureTime: ClockTime.nullable(),
  departureDelayMinutes: z.int32().nullable(),
  scheduledArrivalTime: ClockTime,
  arrivalTime: ClockTime.nullable(),
  arrivalDelayMinutes: z.int32().nullable(),
  airTimeMinutes: z.int32().positive().nullable(),
  distanceMiles: z.int32().positive(),
})

/** Departures are instants; arrivals stay as the destination's clock showed them, for the events name no time zone. */
export const FlightRow = z.object({
  scheduledAt: z.date(),
  carrier: z.string(),
  flight: z.int32(),
  tailNumber: z.string().nullable(),
  origin: z.string(),
  destination: z.string(),
  cancelled: z.boolean(),
  departedAt: z.date().nullable(),
  departureDelayMinutes: z.int32().nullable(),
  scheduledArrivalTime: z.string(),
  arrivalTime: z.string().nullable(),
  arrivalDelayMinutes: z.int32().nullable(),
  airTimeMinutes: z.int32().nullable(),
  distanceMiles: z.int32(),
})

/** Every flight is a row, a cancelled one too: how many did not depart is what analysts ask first. */
export function flightRow({ value: e }: { readonly value: z.output<typeof Flight> }): z.input<typeof FlightRow> {
  const scheduledAt = newYorkInstant(e.scheduledDeparture)
  const delay = e.departureDelayMinutes
  if ((e.departureTime === null) !== (delay === null))
    throw new RangeError('departureTime and departureDelayMinutes are known together or not at all')
  return {
    scheduledAt,
    carrier: e.carrier,
    flight: e.flight,
    tailNumber: e.tailNumber,
    origin: e.origin,
    destination: e.destination,
    cancelled: delay === null,
    departedAt: delay === null ? null : new Date(scheduledAt.getTime() + delay * 60_000),
    departureDelayMinutes: delay,
    scheduledArrivalTime: e.scheduledArrivalTime,
    arrivalTime: e.arrivalTime,
    arrivalDelayMinutes: e.arrivalDelayMinutes,
    airTimeMinutes: e.airTimeMinutes,
    distanceMiles: e.distanceMiles,
  }
}

export const flights = definePipeline({
  name: 'flights',
  topic: 'flights',
  topicSettings: { partitions: 8 },
  event: Flight,
  row: FlightRow,
  transform: flightRow,
  lake: { table: 'flights', partitionBy: { scheduledAt: 'day' }, lock },
})
