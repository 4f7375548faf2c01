import {HttpProxyAgent} from 'http-proxy-agent'

/** Speaks to a plain forward proxy with the path as it was given. */
export class RawPathAgent extends HttpProxyAgent<string> {
  override setRequestProps(...[request, options]: Parameters<HttpProxyAgent<string>['setRequestProps']>): void {
    const {path} = request
    super.setRequestProps(request, options)
    // It writes the absolute form with `URL`, which folds dot segments into another object.
    request.path = new URL(request.path).origin + path
  }
}
