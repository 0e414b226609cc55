// Checks of what users pass in.
import { checkFunction } from '../base';

/** @throws TypeError - It is no provider of OpenTelemetry: it has no such method. */
export function checkProvider<Method extends string>(
  value: Partial<Record<Method, unknown>> | null,
  method: Method,
  what: string,
): void {
  checkFunction(value?.[method], `${what}.${method}`);
}
