import { setFlagsFromString } from 'node:v8'
import { openStore } from '#shared/lake/open-store.ts'
import { type Verification, verifyLake } from '#shared/lake/verify.ts'
import { requireLake } from './missing-lake.ts'
import { Progress } from './progress.ts'

/** @throws InletError LOG_CORRUPT when there is no commit log at all: an empty proof would prove nothing */
export async function verifyWithProgress(lake: string, deep: boolean): Promise<Verification> {
  // What is proven goes by and is garbage at once. Where memory is plentiful, V8 lets up to 200 MB of it gather.
  setFlagsFromString('--optimize-for-size')
  let progress: Progress | undefined
  try {
    const store = openStore(lake)
    await requireLake(store)
    return await verifyLake(store, {
      deep,
      onFiles: (total) => {
        progress = new Progress('verify', total, 'files')
      },
      onFile: () => progress?.advance(1),
    })
  } finally {
    progress?.stop()
  }
}
