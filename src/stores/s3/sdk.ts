/*
 * The only way to the AWS SDK, which is loaded when it is needed and not before. It would print a notice on stderr about the
 * versions of Node that it will leave behind; that is what `skylift doctor` is for, and a library prints nothing.
 */

async function quietly<T>(loading: Promise<T>): Promise<T> {
  const [{state}, loaded] = await Promise.all([import('@aws-sdk/core/client'), loading])
  state.warningEmitted = true
  return loaded
}

export const loadClient = () => quietly(import('@aws-sdk/client-s3'))
export const loadSender = () => quietly(import('@aws-sdk/lib-storage'))
export const loadCredentialChain = () => quietly(import('@aws-sdk/credential-provider-node'))
