/**
 * Stands in functions for `@aws-sdk/client-sts` (see esbuild.json): the signer of tokens for MSK has it to log whose credentials
 * it signs with, which only its option `awsDebugCreds` asks for. Both are called with `new`.
 */

export function STSClient(): never {
  throw absent()
}

export function GetCallerIdentityCommand(): never {
  throw absent()
}

function absent(): Error {
  return new Error('the client of STS is not in the bundle: see infra/bundle/caller-identity.ts')
}
