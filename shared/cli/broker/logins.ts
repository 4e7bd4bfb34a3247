/** How a client logs in to a local cluster: as MSK's ports 9092, 9094, 9096 and 9098 let it. */
export const LOGINS = ['none', 'tls', 'scram', 'oauthbearer'] as const
export type Login = (typeof LOGINS)[number]

/** Who may log in over SCRAM and OAUTHBEARER: inlet may do everything, stranger nothing until an ACL allows it. */
export const USERS = ['inlet', 'stranger'] as const
export type User = (typeof USERS)[number]
