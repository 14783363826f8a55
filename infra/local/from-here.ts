const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Whether a request comes from a program or a page of this machine. A page of another site sends its `Origin`. A site
 * whose name was made to lead here (DNS rebinding) sends that name as `Host`.
 */
export function isFromHere({
  host = '',
  origin,
}: {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}): boolean {
  const { hostname } = URL.parse(`http://${host}`) ?? {};
  return LOOPBACK_NAMES.includes(hostname ?? '') && (origin === undefined || origin === `http://${host}`);
}
