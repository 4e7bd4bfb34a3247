import { parseDataFileKey, dataPrefix, logDigest, logPrefix, markerKey } from '#shared/lake/log-keys.ts'
