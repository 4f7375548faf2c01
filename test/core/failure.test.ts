import {expect} from 'chai'
import {asFailure, Failure, isFailure} from '../../src/core/failure.ts'

describe('Failure', () => {
  it('is not retryable and knows nothing of its place unless told', () => {
    const failure = new Failure('usage', 'Words.')
    expect(failure).to.include({code: 'usage', message: 'Words.', retryable: false, name: 'Failure'})
    expect(failure).to.include({retryAfter: undefined, suggestion: undefined})
    expect(failure.context).to.deep.equal({})
    expect('cause' in failure).to.equal(false)
  })

  it('is told from other errors, and by its code', () => {
    const failure = new Failure('network', 'Words.', {retryable: true, retryAfter: 5, cause: 'x'})
    expect(failure).to.include({retryable: true, retryAfter: 5, cause: 'x'})
    expect(isFailure(failure)).to.equal(true)
    expect(isFailure(failure, 'busy', 'network')).to.equal(true)
    expect(isFailure(failure, 'busy')).to.equal(false)
    expect(isFailure(new Error('network'))).to.equal(false)
    expect(isFailure(undefined)).to.equal(false)
  })

  it('wraps anything else as unexpected, and keeps it as the cause', () => {
    const failure = new Failure('exists', 'Words.')
    expect(asFailure(failure)).to.equal(failure)
    for (const [thrown, message] of [
      [new TypeError('x is not a function'), 'x is not a function'],
      ['text', 'text'],
      [undefined, 'undefined'],
      [new Error('ignored', {cause: 1}), 'ignored'],
      [Object.assign(new Error('gone'), {message: ''}), 'no message'],
    ] as const) {
      const wrapped = asFailure(thrown)
      expect(wrapped).to.include({code: 'unexpected', retryable: false})
      expect(wrapped.cause).to.equal(thrown)
      expect(wrapped.message).to.equal(`Something unexpected happened: ${message}.`)
    }
  })
})
