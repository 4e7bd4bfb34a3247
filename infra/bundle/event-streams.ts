/**
 * Stands in functions for `@smithy/core/event-streams` (see esbuild.json): of S3's operations only SelectObjectContent answers
 * with a stream of events, and no function asks for it.
 */

/** Leaves the settings of a client as they are. */
export function resolveEventStreamSerdeConfig<T>(config: T): T {
  return config
}

export function eventStreamSerdeProvider(): never {
  throw absent()
}

/** What the SDK makes for an operation with a stream of events. */
export function EventStreamSerde(): never {
  throw absent()
}

function absent(): Error {
  return new Error('event streams are not in the bundle: see infra/bundle/event-streams.ts')
}
