/** The fewest values that room is made for. */
const LEAST = 64
/** Below that many values, room is made for four times as many: most columns become either long, or end soon. */
const FEW = 1024

type Values = Uint8Array | Uint16Array | Int32Array | Float32Array | Float64Array | BigInt64Array

/** The same values with more room. @param least how many there must be room for */
export function grown<T extends Values>(values: T, least = LEAST): T {
  const { length } = values
  const make = values.constructor as new (length: number) => T
  const larger = new make(Math.max(least, length < FEW ? 4 * length : 2 * length))
  larger.set(values as never)
  return larger
}
