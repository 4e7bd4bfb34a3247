import type { KafkaGroup } from '#shared/sources/kafka-group.ts'
import type { Works } from './container-works.ts'

/** What the group is told of how far partitions have landed: apart, for the lake knows already and does not wait for it. */
export class GroupOffsets {
  readonly #group: Pick<KafkaGroup, 'commit'>
  readonly #works: Works
  readonly #untold = new Map<number, number>()

  constructor(group: Pick<KafkaGroup, 'commit'>, works: Works) {
    this.#group = group
    this.#works = works
  }

  get isTold(): boolean {
    return this.#untold.size === 0
  }

  /** @param offset behind the last one that has landed */
  landed(partition: number, offset: number): void {
    this.#untold.set(partition, offset)
  }

  /** It is another's now, who tells of it. */
  lost(partition: number): void {
    this.#untold.delete(partition)
  }

  /** Begins to tell what is new. */
  begin(): void {
    if (!this.isTold) this.#works.begin(this, () => this.#tell())
  }

  async #tell(): Promise<void> {
    const offsets = new Map(this.#untold)
    await this.#group.commit(offsets)
    for (const [partition, offset] of offsets)
      if (this.#untold.get(partition) === offset) this.#untold.delete(partition)
  }
}
