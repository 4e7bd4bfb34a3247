// Serverless reads a .ts file as text; what it requires it can also await.
/** @type {(variables: import('./derived.ts').Variables) => Promise<object>} */
module.exports = async (variables) => (await import('./derived.ts')).default(variables)
