import {Flags} from '@oclif/core'
import {BaseCommand} from '../cli/base-command.ts'
import {durationFlag} from '../cli/flags.ts'
import {watchInterrupts} from '../cli/interrupts.ts'
import {sandboxFolder} from '../cli/sandbox.ts'
import {describeSandbox} from '../cli/sandbox-words.ts'
import {LONGEST_TIMER} from '../core/durations.ts'
import {findSandbox} from '../sandbox/find-sandbox.ts'

export default class Sandbox extends BaseCommand {
  static override summary = 'Run the embedded S3 store of this machine, or stop it.'
  static override description = `sandbox:// works without this command: it starts the store by itself and lets it end after ten idle minutes.
The store listens on loopback only. Its keys are made at the first start and kept in its data folder.`

  static override examples = ['<%= config.bin %> sandbox', '<%= config.bin %> sandbox --stop']

  static override flags = {
    stop: Flags.boolean({description: 'end the store that runs in the background'}),
    port: Flags.integer({description: 'listen on this port', min: 1, max: 65_535}),
    idle: durationFlag({description: 'end after so long without a request'}),
  }

  async run(): Promise<unknown> {
    const {flags} = await this.parse(Sandbox)
    const folder = sandboxFolder(this.config)
    const running = await findSandbox(folder)
    if (flags.stop) return this.stop(running?.pid)
    if (running !== undefined) {
      if (!this.jsonEnabled()) this.log(describeSandbox(running, `runs already (process ${running.pid})`))
      return {ok: true, ...running}
    }
    const {startSandbox} = await import('../sandbox/server.ts')
    const interrupts = watchInterrupts()
    // Otherwise the kernel kills us when a file passes `ulimit -f`, instead of failing the write.
    process.on('SIGXFSZ', () => {})
    const ended = new Promise<void>(resolve => interrupts.signal.addEventListener('abort', () => resolve()))
    let onIdle = (): void => {}
    const idle = new Promise<void>(resolve => (onIdle = resolve))
    const sandbox = await startSandbox({
      folder,
      onIdle,
      ...(flags.port === undefined ? {} : {port: flags.port}),
      ...(flags.idle === undefined ? {} : {idleTimeout: Math.min(flags.idle, LONGEST_TIMER)}),
    })
    const {close, ...told} = sandbox
    if (this.jsonEnabled()) this.logJson({ok: true, ...told})
    else this.log(describeSandbox(sandbox, 'is up; Ctrl-C ends it'))
    await Promise.race([ended, idle])
    await close()
    interrupts.stop()
    return undefined
  }

  private async stop(pid: number | undefined): Promise<unknown> {
    if (pid === undefined) {
      if (!this.jsonEnabled()) this.log('No sandbox runs.')
    } else {
      process.kill(pid, 'SIGTERM')
      const folder = sandboxFolder(this.config)
      while ((await findSandbox(folder))?.pid === pid) await new Promise(resolve => setTimeout(resolve, 25))
      if (!this.jsonEnabled()) this.log('The sandbox has ended; its objects stay.')
    }
    return {ok: true, stopped: pid !== undefined}
  }
}
