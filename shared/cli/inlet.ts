#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// A command is hundreds of modules, and to strip their types takes longer than to run most commands: before any is loaded.
enableCompileCache()
await import('./program.ts')
