/**
 * 32-bit Murmur2, as Kafka's Java client hashes keys (Apache Kafka, `org.apache.kafka.common.utils.Utils.murmur2`).
 * @returns a signed integer
 */
export function murmur2(bytes: Uint8Array): number {
  const M = 0x5bd1e995
  const { length } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const whole = length - (length % 4)
  let hash = 0x9747b28c ^ length
  for (let i = 0; i < whole; i += 4) {
    let word = Math.imul(view.getInt32(i, true), M)
    word = Math.imul(word ^ (word >>> 24), M)
    hash = Math.imul(hash, M) ^ word
  }
  for (let i = length - 1; i >= whole; i--) hash ^= view.getUint8(i) << (8 * (i - whole))
  if (whole < length) hash = Math.imul(hash, M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/** Where Java's producers put a key among so many partitions: all producers of a topic have to agree on it. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
