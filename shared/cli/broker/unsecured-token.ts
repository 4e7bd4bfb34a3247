/**
 * A token that a local broker accepts for SASL/OAUTHBEARER: a JWT without a signature (RFC 7519, section 6), which Kafka's own
 * validator takes when no other one is set. No cluster that matters accepts it.
 * @param issued @param expires in seconds since 1970
 */
export function unsecuredToken(user: string, issued: number, expires: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ sub: user, iat: issued, exp: expires })}.`
}
