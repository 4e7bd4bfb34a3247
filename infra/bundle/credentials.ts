/**
 * Stands in functions for `@aws-sdk/credential-provider-node` and, for the signer of tokens for MSK, for
 * `@aws-sdk/credential-providers` (see esbuild.json): Lambda gives a function its role's credentials in the environment ("Defined
 * runtime environment variables", Lambda developer guide), and new ones never come during its life. The SDK's own chain of providers
 * (SSO, profiles, web identity, instance metadata) would be a sixth of a bundle.
 */
import process from 'node:process'

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

class CredentialsProviderError extends Error {
  override readonly name = 'CredentialsProviderError'
}

/** @throws CredentialsProviderError, from what it returns, when there are none */
export function defaultProvider(): () => Promise<Credentials> {
  return async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
    if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
      throw new CredentialsProviderError(
        'Could not resolve credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not in the environment',
      )
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    }
  }
}

export { defaultProvider as fromNodeProviderChain }

/** For those who name a profile. */
export function fromIni(): never {
  throw absent()
}

/** For those who name a role. */
export function fromTemporaryCredentials(): never {
  throw absent()
}

function absent(): Error {
  return new CredentialsProviderError(
    'a function has the credentials of its role only: see infra/bundle/credentials.ts',
  )
}
