import type {Sandbox} from '../sandbox/server.ts'

/** Tells where the sandbox is, its keys, and lines to paste for other tools. */
export function describeSandbox(sandbox: Omit<Sandbox, 'close'>, state: string): string {
  const {endpoint, accessKeyId, secretAccessKey, region} = sandbox
  const keys = `AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_REGION=${region}`
  return `The sandbox ${state}.

  endpoint    ${endpoint}
  access key  ${accessKeyId}
  secret key  ${secretAccessKey}
  region      ${region}

For aws-cli and Skylift:

  export ${keys}
  export AWS_ENDPOINT_URL=${endpoint}
  aws --endpoint-url ${endpoint} s3 ls

For rclone:

  export RCLONE_CONFIG_SANDBOX_TYPE=s3 RCLONE_CONFIG_SANDBOX_PROVIDER=Other
  export RCLONE_CONFIG_SANDBOX_ENDPOINT=${endpoint} RCLONE_CONFIG_SANDBOX_REGION=${region}
  export RCLONE_CONFIG_SANDBOX_ACCESS_KEY_ID=${accessKeyId} RCLONE_CONFIG_SANDBOX_SECRET_ACCESS_KEY=${secretAccessKey}
  rclone ls sandbox:`
}
