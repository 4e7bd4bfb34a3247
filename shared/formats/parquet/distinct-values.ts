/** Values looked at before it is said that hardly any comes twice. */
const SAMPLE = 256
const MOSTLY = 0.9

/** Which values of a column differ. */
export interface Distinct {
  /** Where each of them comes first, in that order. */
  readonly firsts: readonly number[]
  /** For every value, which of them it is. */
  readonly codes: Int32Array
}

/**
 * Finds equal values by their bits, so that −0 is not 0, and a NaN is one of its kind.
 * @param words the bits: one or two words of 32 bits a value
 * @param count how many values there are
 * @returns undefined when more than half of them differ: a dictionary would not pay
 */
export function distinctValues(words: Int32Array, count: number): Distinct | undefined {
  const isWide = words.length > count
  const slots = new Int32Array(2 ** (33 - Math.clz32(Math.max(count, 1))))
  const mask = slots.length - 1
  const codes = new Int32Array(count)
  const firsts: number[] = []
  for (let i = 0; i < count; i++) {
    const low = (isWide ? words[2 * i] : words[i]) as number
    const high = isWide ? (words[2 * i + 1] as number) : 0
    let slot = hash(low, high) & mask
    for (;;) {
      const code = (slots[slot] as number) - 1
      if (code < 0) {
        firsts.push(i)
        slots[slot] = firsts.length
        codes[i] = firsts.length - 1
        break
      }
      const first = firsts[code] as number
      const isSame = isWide ? words[2 * first] === low && words[2 * first + 1] === high : words[first] === low
      if (isSame) {
        codes[i] = code
        break
      }
      slot = (slot + 1) & mask
    }
    if (2 * firsts.length > count || (i === SAMPLE && firsts.length > MOSTLY * SAMPLE)) return undefined
  }
  return { firsts, codes }
}

/** Mixes all bits into the lower ones (the finalizer of MurmurHash3). */
function hash(low: number, high: number): number {
  let mixed = low ^ Math.imul(high, 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
