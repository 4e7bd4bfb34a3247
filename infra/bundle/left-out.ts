import { readFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'

/**
 * Modules that a library always imports and that nothing here can reach, by what is in them. What they export throws when it is
 * called, and says so: test/unit/infra/bundles.test.ts lands every kind of column with what is left.
 */
const LEFT_OUT: readonly (readonly [what: string, modules: RegExp])[] = [
  ['hashes in JavaScript: Node has its own', /[\\/](?:sha|md5)[^\\/]*[\\/](?:Sha256|Sha1|Md5)Js\.js$/],
  [
    'streams of browsers: what is put are bytes, and what is got comes in streams of Node',
    /[\\/]util-stream[\\/].*(?:hecksumStream|EncodingStream|headStream|mixin|splitStream|collector)\.browser\.js$/,
  ],
  [
    'types, encodings and codecs of Parquet that no table is written with',
    /hyparquet-writer[\\/]src[\\/](?:variant|wkb|geospatial|delta|splitstream|snappy)\.js$/,
  ],
  ['JSON Schema of a contract, which is for "inlet describe"', /zod[\\/]v4[\\/]core[\\/]to-json-schema\.js$/],
]

export function leftOut(): Plugin {
  return {
    name: 'left-out',
    setup: (build) => {
      for (const [what, filter] of LEFT_OUT)
        build.onLoad({ filter }, ({ path }) => ({ contents: standIn(readFileSync(path, 'utf8'), what), loader: 'js' }))
      // A client tells its version, and has all of its package.json for that.
      build.onLoad({ filter: /@aws-sdk[\\/]client-[^\\/]+[\\/]package\.json$/ }, ({ path }) => {
        const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
        return { contents: JSON.stringify({ version }), loader: 'json' }
      })
    },
  }
}

const DECLARED = /^export (?:async )?(?:const|function|class) (?<name>\w+)/gm
const RENAMED = /^export \{ \w+ as (?<name>\w+) \};$/gm

/** A module with the same names. What makes a method is called before anybody calls the method. */
function standIn(source: string, what: string): string {
  const names = [...source.matchAll(DECLARED), ...source.matchAll(RENAMED)].map(({ groups }) => groups?.['name'] ?? '')
  const [makers, others] = [names.filter(isMaker), names.filter((name) => !isMaker(name))]
  return [
    `function absent() { throw new Error(${JSON.stringify(`not in the bundle: ${what}; see infra/bundle/left-out.ts`)}) }`,
    'const makeAbsent = () => absent',
    ...others.map((name) => `export { absent as ${name} }`),
    ...makers.map((name) => `export { makeAbsent as ${name} }`),
  ].join('\n')
}

function isMaker(name: string): boolean {
  return /^create\w*Method$/.test(name)
}
